"""A module's syntax tree: all nodes below one, and what a look at the whole module tells of single names.

mypy's own visitors are compiled and cannot be subclassed; this walk asks each class of nodes once for its parts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from mypy.nodes import (
    AssignmentExpr,
    AssignmentStmt,
    Block,
    ClassDef,
    DelStmt,
    DictionaryComprehension,
    Expression,
    ForStmt,
    FuncItem,
    GeneratorExpr,
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
    OperatorAssignmentStmt,
    StarExpr,
    Statement,
    TryStmt,
    TupleExpr,
    Var,
    WhileStmt,
    WithStmt,
)  # fmt: skip
from mypy.patterns import AsPattern, MappingPattern, StarredPattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["Sites", "class_members", "imports_coopy", "nodes_below", "path_of", "statements", "targets"]

_PARTS = (
    "defs", "body", "else_body", "finally_body", "handlers", "bodies", "items", "impl", "func", "decorators", "arguments", "initializer",
    "lvalues", "lvalue", "rvalue", "index", "indices", "sequences", "condlists", "left_expr", "expr", "msg", "from_expr", "target", "vars",
    "subject", "patterns", "pattern", "guards", "callee", "args", "left", "right", "operands", "base", "cond", "if_expr", "else_expr",
    "generator", "key", "value", "call", "begin_index", "end_index", "stride", "name", "rest", "keys", "values", "positionals",
    "keyword_values", "class_ref",
)  # fmt: skip


_NAMES = frozenset(("coopy", "init_system", "init_persistent_system", "System", "Replica"))


_PARTS_OF: dict[str, tuple[str, ...]] = {}  # by class of nodes, filled as they are met


def _parts_of(node: Node) -> tuple[str, ...]:
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
                stack.extend(part for name in _parts_of(one) if (part := getattr(one, name, None)) is not None)


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


# What gives names a value: each target with the expression that says what, None where no single one does.
_GIVES: dict[type, Callable[[Any], Iterable[tuple[Expression | None, Expression | None]]]] = {
    AssignmentStmt: lambda node: [(one, node.rvalue) for one in node.lvalues],
    AssignmentExpr: lambda node: [(node.target, node.value)],
    ForStmt: lambda node: [(node.index, None)],
    WithStmt: lambda node: [(one, None) for one in node.target],
    TryStmt: lambda node: [(one, None) for one in node.vars],
    GeneratorExpr: lambda node: [(one, None) for one in node.indices],
    DictionaryComprehension: lambda node: [(one, None) for one in node.indices],
    DelStmt: lambda node: [(node.expr, None)],
    AsPattern: lambda node: [(node.name, None)],
    StarredPattern: lambda node: [(node.capture, None)],
    MappingPattern: lambda node: [(node.rest, None)],
}


class Binding(NamedTuple):
    """A place where a variable is given something: the expression, None where no single one says what, and the line."""

    value: Expression | None
    line: int


class Sites:
    """What one look at a module tells of its expressions and variables, as mypy's own nodes.

    `deleted`: what `del` names. `augmented`: targets of `x += y`. `item_targets`: what an item is assigned to.
    `bindings`: of each variable, where and what it is given.
    """

    def __init__(self, tree: MypyFile) -> None:
        self.defs = tree.defs
        self.deleted: set[Expression] = set()
        self.augmented: set[Expression] = set()
        self.item_targets: set[Expression] = set()
        self.bindings: dict[Var, list[Binding]] = {}
        for node in nodes_below(tree):
            self._note(node)

    def bound(self, var: Var, until: int | None = None) -> list[Binding]:
        """What a variable is given in this module, once for each place; only up to a line, if one is said."""
        found = self.bindings.get(var, [])
        return found if until is None else [one for one in found if one.line <= until]

    def _note(self, node: Node) -> None:
        gives = _GIVES.get(type(node))
        if gives is not None:
            for target, value in gives(node):
                if target is not None:
                    self._bind(target, value)
        if isinstance(node, DelStmt):
            self.deleted.update(targets(node.expr))
        elif isinstance(node, OperatorAssignmentStmt):
            self.augmented.add(node.lvalue)
            if isinstance(node.lvalue, IndexExpr):
                self.item_targets.add(node.lvalue.base)
        elif isinstance(node, FuncItem):
            for argument in node.arguments:
                self.bindings.setdefault(argument.variable, []).append(Binding(None, node.line))

    def _bind(self, lvalue: Expression, value: Expression | None) -> None:
        for one in targets(lvalue):
            if isinstance(one, IndexExpr):
                self.item_targets.add(one.base)
            elif isinstance(one, NameExpr) and isinstance(one.node, Var):
                self.bindings.setdefault(one.node, []).append(Binding(value if one is lvalue else None, one.line))


def class_members(cls: ClassDef) -> Iterator[Statement]:
    """The statements of a class body, those under `if` included."""
    for one in statements(cls.defs.body):
        if not isinstance(one, IfStmt):
            yield one
