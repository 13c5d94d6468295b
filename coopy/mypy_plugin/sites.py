"""What one look at a module tells of its expressions and variables: what is deleted, assigned to, and what each name is given, where.

Where means: in which function, on which line, and below which branches and loops. A binding that stands below no other branch than a use, and
before it, makes all earlier ones void.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any, NamedTuple

from mypy.nodes import (
    AssignmentExpr,
    AssignmentStmt,
    Block,
    BreakStmt,
    ClassDef,
    ContinueStmt,
    DelStmt,
    DictionaryComprehension,
    Expression,
    ForStmt,
    FuncDef,
    FuncItem,
    GeneratorExpr,
    IndexExpr,
    MatchStmt,
    MemberExpr,
    MypyFile,
    NameExpr,
    Node,
    OperatorAssignmentStmt,
    RaiseStmt,
    ReturnStmt,
    Statement,
    TempNode,
    TryStmt,
    Var,
    WithStmt,
)  # fmt: skip
from mypy.patterns import AsPattern, MappingPattern, StarredPattern

from coopy.mypy_plugin.tree import nodes_below, pairs, parts_of, targets

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Binding", "Sites"]

_LEAVING = (ReturnStmt, RaiseStmt, ContinueStmt, BreakStmt)
Path = tuple[int, ...]  # the blocks that a place is in, from the outside


class Binding(NamedTuple):
    """A place where something is given a value.

    `source`: what the value is made from, None where no expression says so; `whole`: it is that itself; `right`: the whole right side.
    """

    source: Expression | None
    whole: bool
    right: Expression | None
    line: int
    scope: Node
    path: Path


class _At(NamedTuple):
    """Where the walk is."""

    scope: Node
    path: Path
    owner: str  # the full name of the class around

    def inside(self, block: Node) -> _At:
        """The same, below a branch."""
        return self._replace(path=(*self.path, id(block)))


class Sites:
    """`deleted`: what `del` names. `augmented`: targets of `x += y`. `item_targets`: what an item is assigned to.

    `attributes`: by class and name, what attributes of `self` are given.
    """

    def __init__(self, tree: MypyFile) -> None:
        self.defs, self.tree = tree.defs, tree
        self.deleted: set[Expression] = set()
        self.augmented: set[Expression] = set()
        self.item_targets: set[Expression] = set()
        self.attributes: dict[tuple[str, str], list[Binding]] = {}
        self._bindings: dict[Var, list[Binding]] = {}
        self._left: set[int] = set()  # the blocks of which nothing goes on behind them: their last statement leaves
        self._lines: dict[Node, list[tuple[int, Path]]] = {tree: []}
        self._walk(tree)
        for lines in self._lines.values():
            lines.sort()

    def bound(self, var: Var) -> list[Binding]:
        """All that a variable is given in this module."""
        return self._bindings.get(var, [])

    def reaching(self, var: Var, use: Expression, scope: Node) -> list[Binding]:
        """What a variable may hold where it is used in a function or the module, as far as the lines before tell."""
        found = self.bound(var)
        return found if any(one.scope is not scope for one in found) else self.in_force(found, use, scope)

    def in_force(self, found: list[Binding], use: Expression, scope: Node) -> list[Binding]:
        """Those of the bindings in a function that may hold at a place in it."""
        before = [one for one in found if one.scope is scope and one.line <= use.line and not _is_within(use, one)]
        path = self._path_at(use.line, scope)
        last = max((place for place, one in enumerate(before) if one.path == path[: len(one.path)]), default=0)
        return [one for one in before[last:] if not any(block in self._left and block not in path for block in one.path)]

    def _path_at(self, line: int, scope: Node) -> Path:
        lines = self._lines.get(scope, [])
        place = bisect_right(lines, line, key=lambda one: one[0])
        return lines[place - 1][1] if place else ()

    def _walk(self, tree: MypyFile) -> None:
        stack: list[tuple[Any, _At]] = [(tree.defs, _At(tree, (), ""))]
        while stack:
            node, at = stack.pop()
            if isinstance(node, list | tuple):
                stack.extend((one, at) for one in node)
            elif isinstance(node, Node) and not isinstance(node, Var):
                if isinstance(node, Statement):
                    self._lines[at.scope].append((node.line, at.path))
                self._note(node, at)
                inner = self._inside(node, at)
                stack.extend((part, inner) for name in parts_of(node) if (part := getattr(node, name, None)) is not None)
        for bindings in (*self._bindings.values(), *self.attributes.values()):
            bindings.sort(key=lambda one: one.line)

    def _inside(self, node: Node, at: _At) -> _At:
        """Where the parts of a node are. The body of a function is no branch of it."""
        if isinstance(node, FuncDef):
            self._lines[node] = []
            return _At(node, (), at.owner)
        if isinstance(node, ClassDef):
            return at._replace(owner=node.fullname)
        is_body = isinstance(at.scope, FuncDef) and at.scope.body is node
        return at.inside(node) if isinstance(node, Block) and not is_body else at

    def _note(self, node: Node, at: _At) -> None:
        if isinstance(node, DelStmt):
            self.deleted.update(targets(node.expr))
        elif isinstance(node, OperatorAssignmentStmt):
            self.augmented.add(node.lvalue)
            if isinstance(node.lvalue, IndexExpr):
                self.item_targets.add(node.lvalue.base)
        elif isinstance(node, FuncItem):
            inner = _At(node, (), "") if isinstance(node, FuncDef) else at
            for argument in node.arguments:
                self._bindings.setdefault(argument.variable, []).append(Binding(None, False, None, node.line, inner.scope, inner.path))  # noqa: FBT003
        elif isinstance(node, Block) and node.body and isinstance(node.body[-1], _LEAVING):
            self._left.add(id(node))
        for target, source, place in _given(node, at):
            self._bind(target, source, place, item=isinstance(node, ForStmt | WithStmt | GeneratorExpr | DictionaryComprehension))

    def _bind(self, lvalue: Expression, right: Expression | None, at: _At, *, item: bool) -> None:
        """`item`: each target holds an item of the right side, or a part of one."""
        for one, value in [(target, None) for target in targets(lvalue)] if item else pairs(lvalue, right):
            binding = Binding(value or right, value is not None, right, one.line, at.scope, at.path)
            if isinstance(one, IndexExpr):
                self.item_targets.add(one.base)
            elif isinstance(one, NameExpr) and isinstance(one.node, Var):
                self._bindings.setdefault(one.node, []).append(binding)
            elif (
                isinstance(one, MemberExpr) and isinstance(one.expr, NameExpr) and isinstance(one.expr.node, Var) and one.expr.node.is_self
            ):
                self.attributes.setdefault((at.owner, one.name), []).append(binding)


def _given(node: Node, at: _At) -> Iterator[tuple[Expression, Expression | None, _At]]:
    """The targets of a node, what each is made from, and where it holds that: a loop's variable inside of the loop."""
    if isinstance(node, AssignmentStmt):
        source = None if isinstance(node.rvalue, TempNode) else node.rvalue
        yield from ((one, source, at) for one in node.lvalues)
    elif isinstance(node, AssignmentExpr):
        yield node.target, node.value, at
    elif isinstance(node, ForStmt):
        yield node.index, node.expr, at.inside(node.body)
    elif isinstance(node, WithStmt):
        yield from ((one, source, at) for one, source in zip(node.target, node.expr, strict=True) if one is not None)
    elif isinstance(node, GeneratorExpr | DictionaryComprehension):
        yield from ((one, source, at) for one, source in zip(node.indices, node.sequences, strict=True))
    elif isinstance(node, TryStmt):
        yield from ((one, None, at.inside(handler)) for one, handler in zip(node.vars, node.handlers, strict=True) if one is not None)
    elif isinstance(node, MatchStmt):
        for pattern, body in zip(node.patterns, node.bodies, strict=True):
            yield from ((name, node.subject, at.inside(body)) for name in _captured(pattern))


def _captured(pattern: Node) -> Iterator[NameExpr]:
    for one in nodes_below(pattern):
        name = one.name if isinstance(one, AsPattern) else one.capture if isinstance(one, StarredPattern) else None
        name = one.rest if isinstance(one, MappingPattern) else name
        if name is not None:
            yield name


def _is_within(use: Expression, binding: Binding) -> bool:
    """Whether a name is used in the very expression that it is given: `page = copy(page)`."""
    right = binding.right
    if right is None or use.line < right.line or use.line > (right.end_line or right.line):
        return False
    return any(one is use for one in nodes_below(right))
