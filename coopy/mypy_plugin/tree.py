"""mypy's syntax trees: all nodes below one, the statements of a body, the names in a dotted expression.

mypy's own visitors are compiled and cannot be subclassed; this walk asks each class of nodes once for its parts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mypy.nodes import (
    AssignmentStmt,
    Block,
    ClassDef,
    Expression,
    ForStmt,
    FuncDef,
    IfStmt,
    Import,
    ImportAll,
    ImportFrom,
    IndexExpr,
    ListExpr,
    MatchStmt,
    MemberExpr,
    MypyFile,
    NameExpr,
    Node,
    StarExpr,
    Statement,
    TryStmt,
    TupleExpr,
    Var,
    WhileStmt,
    WithStmt,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "assigned",
    "class_members",
    "imports_coopy",
    "nodes_below",
    "own_attributes",
    "pairs",
    "parts_of",
    "path_of",
    "self_name",
    "statements",
    "targets",
]

_PARTS = (
    "defs", "body", "else_body", "finally_body", "handlers", "bodies", "items", "impl", "func", "decorators", "arguments", "initializer",
    "lvalues", "lvalue", "rvalue", "index", "indices", "sequences", "condlists", "left_expr", "expr", "msg", "from_expr", "target", "vars",
    "subject", "patterns", "pattern", "guards", "callee", "args", "left", "right", "operands", "base", "cond", "if_expr", "else_expr",
    "generator", "key", "value", "call", "begin_index", "end_index", "stride", "name", "rest", "keys", "values", "positionals",
    "keyword_values", "class_ref",
)  # fmt: skip


_NAMES = frozenset(("coopy", "init_system", "init_persistent_system", "System", "Replica"))


_PARTS_OF: dict[str, tuple[str, ...]] = {}  # by class of nodes, filled as they are met


def parts_of(node: Node) -> tuple[str, ...]:
    """The names of what a node is made of, that are to be asked for."""
    name = type(node).__name__
    if name not in _PARTS_OF:
        _PARTS_OF[name] = tuple(part for part in _PARTS if hasattr(type(node), part))
    return _PARTS_OF[name]


def nodes_below(node: Node) -> Iterator[Node]:
    """The node and all that it is made of, in no particular order."""
    stack: list[Any] = [node]
    while stack:
        one = stack.pop()
        if isinstance(one, list | tuple):
            stack.extend(one)
        elif isinstance(one, Node):
            yield one
            if not isinstance(one, Var):
                stack.extend(part for name in parts_of(one) if (part := getattr(one, name, None)) is not None)


_BLOCKS: dict[type, tuple[str, ...]] = {
    Block: ("body",),
    IfStmt: ("body", "else_body"),
    ForStmt: ("body", "else_body"),
    WhileStmt: ("body", "else_body"),
    WithStmt: ("body",),
    TryStmt: ("body", "handlers", "else_body", "finally_body"),
    MatchStmt: ("bodies",),
}


def statements(body: Iterable[Statement]) -> list[Statement]:
    """The statements of a body and of its branches and loops, in no order, not of functions and classes defined in it."""
    found = list(body)
    for one in found:  # it grows meanwhile
        for name in _BLOCKS.get(type(one), ()):
            part = getattr(one, name)
            for block in part if isinstance(part, list) else (part,):
                if isinstance(block, Block):
                    found += block.body
    return found


def targets(lvalue: Expression) -> Iterator[Expression]:
    """The single targets of a target: of tuples, lists and stars their items."""
    if isinstance(lvalue, TupleExpr | ListExpr):
        for item in lvalue.items:
            yield from targets(item)
    elif isinstance(lvalue, StarExpr):
        yield from targets(lvalue.expr)
    else:
        yield lvalue


def pairs(lvalue: Expression, value: Expression | None) -> list[tuple[Expression, Expression | None]]:
    """Each single target with what it is given, None where no expression says so."""
    if isinstance(lvalue, TupleExpr | ListExpr):
        if isinstance(value, TupleExpr | ListExpr) and len(value.items) == len(lvalue.items):
            return [pair for one, given in zip(lvalue.items, value.items, strict=True) for pair in pairs(one, given)]
        return [(one, None) for one in targets(lvalue)]
    return [(lvalue, value)]


def assigned(one: Statement) -> list[Expression]:
    """The single targets of an assignment; none of any other statement."""
    return [place for lvalue in one.lvalues for place in targets(lvalue)] if isinstance(one, AssignmentStmt) else []


def self_name(function: FuncDef) -> str:
    """What a method calls its object; empty where it has no argument."""
    return function.arguments[0].variable.name if function.arguments else ""


def own_attributes(function: FuncDef) -> Iterator[tuple[Statement, MemberExpr]]:
    """The attributes of its object that a method assigns, with the statements that do, from the top."""
    own = self_name(function)
    for one in sorted(statements(function.body.body), key=lambda statement: statement.line):
        for place in assigned(one):
            if isinstance(place, MemberExpr) and path_of(place)[:-1] == (own,):
                yield one, place


def path_of(expr: Expression) -> tuple[str, ...]:
    """The names of a.b.c or a.b[k].c, from the left; () for anything that does not start with a name."""
    names: list[str] = []
    while isinstance(expr, MemberExpr | IndexExpr):
        if isinstance(expr, MemberExpr):
            names.append(expr.name)
            expr = expr.expr
        else:
            names.append("[]")
            expr = expr.base
    return (expr.name, *reversed(names)) if isinstance(expr, NameExpr) else ()


def imports_coopy(tree: MypyFile) -> bool:
    """Whether a module imports coopy, or one of the names that coopy goes by from wherever else."""
    for one in tree.imports:
        if isinstance(one, Import):
            if any(name.partition(".")[0] == "coopy" for name, _ in one.ids):
                return True
        elif isinstance(one, ImportFrom | ImportAll):
            names = [name for name, _ in one.names] if isinstance(one, ImportFrom) else []
            if one.id.partition(".")[0] == "coopy" or not _NAMES.isdisjoint(names):
                return True
    return False


def class_members(cls: ClassDef) -> Iterator[Statement]:
    """The statements of a class body, those under `if` included."""
    for one in statements(cls.defs.body):
        if not isinstance(one, IfStmt):
            yield one
