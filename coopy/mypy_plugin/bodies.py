"""The body of one function: whether all that it returns is visibly new, what it changes, what it calls.

New are displays, comprehensions, copies, slices, sums, what a class or a function of the library gives, and a local that was given only such
and was not stored. What a function beside the class gives is new if its own body says so. Syntax only; names are resolved where they decide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mypy.nodes import (
    AssignmentExpr,
    AssignmentStmt,
    AwaitExpr,
    BytesExpr,
    CallExpr,
    ComparisonExpr,
    ComplexExpr,
    ConditionalExpr,
    DelStmt,
    DictExpr,
    DictionaryComprehension,
    Expression,
    ExpressionStmt,
    FloatExpr,
    IndexExpr,
    IntExpr,
    ListComprehension,
    ListExpr,
    MemberExpr,
    NameExpr,
    OperatorAssignmentStmt,
    OpExpr,
    ReturnStmt,
    SetComprehension,
    SetExpr,
    SliceExpr,
    StrExpr,
    TempNode,
    TupleExpr,
    UnaryExpr,
)  # fmt: skip

from coopy.kinds import CHANGING, INJECTED
from coopy.mypy_plugin.tree import assigned, nodes_below, pairs, path_of, self_name, statements, targets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mypy.nodes import FuncDef, Statement

    Resolve = Callable[[str], str | None]  # a dotted name as it stands there -> the full name of what it means

__all__ = ["COPIES", "Body"]

COPIES = frozenset(("copy", "deepcopy", "clone", "model_copy", "evolve", "replace", "_replace", "__copy__", "__deepcopy__", "__replace__"))
_NEW_METHODS = COPIES | frozenset((
    "split", "rsplit", "splitlines", "partition", "rpartition", "format", "join", "encode", "most_common",
    "union", "intersection", "difference", "symmetric_difference",
))  # fmt: skip
# What gives an element of what it is given, or a way to them.
_ELEMENTS = frozenset((
    *(f"builtins.{one}" for one in ("max", "min", "next", "getattr", "iter", "reversed", "zip", "filter", "map", "enumerate")),
    "typing.cast", "random.choice",
))  # fmt: skip
_LITERALS = (
    DictExpr, SetExpr, ListExpr, ListComprehension, SetComprehension, DictionaryComprehension, ComparisonExpr, StrExpr, BytesExpr, IntExpr,
    FloatExpr, ComplexExpr, UnaryExpr,
)  # fmt: skip
_CALLED_ON_OWN = 2  # self.method
_CALLED_ON_PART = 3  # self.attribute.method


class Body:
    """One function, looked through once. `bound`: it has the object as its first argument. `module`: the functions beside it, by name."""

    def __init__(self, function: FuncDef, resolve: Resolve, module: Mapping[str, FuncDef], *, bound: bool) -> None:
        self.function, self.resolve, self.module = function, resolve, module
        self.own = self_name(function) if bound else ""
        self.statements = statements(function.body.body)
        self.calls = [call for one in self.statements if (call := _call_in(one)) is not None]
        self.given: dict[str, list[Expression | None]] | None = None
        self.stored: set[str] = set()
        self.fresh: set[str] = set()
        self.inherited: Callable[[str], bool] = lambda _name: False

    # what it changes and calls

    def changes_self(self, held: set[str]) -> bool:
        """Whether it sets an attribute or an item of its object, or changes a container in one of the attributes `held`."""
        if not self.own:
            return False
        paths = (path_of(call.callee) for call in self.calls)
        return any(self._sets(one) for one in self.statements) or any(
            len(path) == _CALLED_ON_PART and path[0] == self.own and path[1] in held and path[2] in CHANGING for path in paths
        )

    def own_calls(self) -> set[str]:
        """The methods of its own object that it calls as statements, or whose result it assigns or returns."""
        paths = (path_of(call.callee) for call in self.calls) if self.own else ()
        return {path[1] for path in paths if len(path) == _CALLED_ON_OWN and path[0] == self.own}

    def _sets(self, one: Statement) -> bool:
        if isinstance(one, OperatorAssignmentStmt):
            return self._is_below(one.lvalue)
        places = targets(one.expr) if isinstance(one, DelStmt) else assigned(one)
        return any(self._is_below(place) for place in places)

    def _is_below(self, place: Expression) -> bool:
        """Whether this is an attribute or item of the object, or of what one of its attributes holds."""
        path = path_of(place)
        return len(path) > 1 and path[0] == self.own

    # what it gives

    def gives_new(self, fresh: set[str], inherited: Callable[[str], bool]) -> bool:
        """Whether it returns something, and only what is visibly new. `fresh`, `inherited`: the methods of its object that are known to."""
        if self.function.is_generator:
            return False
        self.fresh, self.inherited = fresh, inherited
        returns = [one.expr for one in self.statements if isinstance(one, ReturnStmt) and one.expr is not None]
        if returns and self.given is None:
            self._look_at_locals()
        return bool(returns) and all(self._is_new(one) for one in returns)

    def _look_at_locals(self) -> None:
        self.given = {}
        for one in self._in_force():
            if isinstance(one, AssignmentStmt) and not isinstance(one.rvalue, TempNode):
                self._assigned(one)
        for call in self.calls:
            self._called(call)
        if any(
            isinstance(one.expr, NameExpr) and one.expr.name not in self.given for one in self.statements if isinstance(one, ReturnStmt)
        ):
            for node in nodes_below(self.function.body):
                if isinstance(node, AssignmentExpr):
                    self.given.setdefault(node.target.name, []).append(node.value)

    def _in_force(self) -> list[Statement]:
        """The statements without the assignments that a later one, which always runs, makes void."""
        last: dict[str, int] = {}
        for place, one in enumerate(self.function.body.body):
            if isinstance(one, AssignmentStmt) and not isinstance(one.rvalue, TempNode):
                last.update((name.name, place) for name in one.lvalues if isinstance(name, NameExpr))
        found: list[Statement] = []
        for place, top in enumerate(self.function.body.body):
            for one in statements([top]):
                void = isinstance(one, AssignmentStmt) and all(
                    isinstance(x, NameExpr) and place < last.get(x.name, -1) for x in one.lvalues
                )
                if not void or self._returns_before(one, last, place):
                    found.append(one)
        return found

    def _returns_before(self, one: Statement, last: dict[str, int], place: int) -> bool:
        """Whether something is returned between an assignment and the one that makes it void."""
        assert isinstance(one, AssignmentStmt)
        until = max(last[name.name] for name in one.lvalues if isinstance(name, NameExpr))
        between = statements(self.function.body.body[place:until])
        return any(isinstance(inner, ReturnStmt) for inner in between)

    def _assigned(self, one: AssignmentStmt) -> None:
        assert self.given is not None
        each = [pair for lvalue in one.lvalues for pair in pairs(lvalue, one.rvalue)]
        kept = any(not isinstance(target, NameExpr) for target, _ in each)
        for target, value in each:
            if isinstance(target, NameExpr):
                self.given.setdefault(target.name, []).append(value)
                if kept and len(one.lvalues) > 1:
                    self.stored.add(target.name)
            elif isinstance(value, NameExpr):
                self.stored.add(value.name)

    def _called(self, call: CallExpr) -> None:
        """`self.pages.append(page)` keeps what it is given; `helper(page)`, `self.check(page)` and `self._random.shuffle(page)` are not thought to."""
        path = path_of(call.callee)
        if len(path) >= _CALLED_ON_PART and path[0] == self.own and path[1] not in INJECTED:
            self.stored.update(arg.name for arg in call.args if isinstance(arg, NameExpr))

    def _is_new(self, expr: Expression) -> bool:  # noqa: PLR0911 - one form of expression each
        if isinstance(expr, _LITERALS):
            return True
        if isinstance(expr, TupleExpr):
            return all(self._is_new(item) for item in expr.items)
        if isinstance(expr, OpExpr):
            return expr.op not in ("and", "or") or (self._is_new(expr.left) and self._is_new(expr.right))
        if isinstance(expr, ConditionalExpr):
            return self._is_new(expr.if_expr) and self._is_new(expr.else_expr)
        if isinstance(expr, IndexExpr):
            return isinstance(expr.index, SliceExpr)
        if isinstance(expr, AssignmentExpr | AwaitExpr):
            return self._is_new(expr.value if isinstance(expr, AssignmentExpr) else expr.expr)
        if isinstance(expr, NameExpr):
            return expr.name in ("None", "True", "False") or self._is_new_local(expr.name)
        return isinstance(expr, CallExpr) and self._call_is_new(expr.callee)

    def _is_new_local(self, name: str) -> bool:
        assert self.given is not None
        given = self.given.pop(name, [])  # while it is asked, a local made from itself is not new
        new = bool(given) and name not in self.stored and all(one is not None and self._is_new(one) for one in given)
        self.given[name] = given
        return new

    def _call_is_new(self, callee: Expression) -> bool:
        if isinstance(callee, MemberExpr) and (callee.name in _NEW_METHODS or isinstance(callee.expr, StrExpr)):
            return True
        if isinstance(callee, IndexExpr):
            callee = callee.base
        path = path_of(callee)
        if not path:  # type(self)(...)
            return isinstance(callee, CallExpr)
        if path[0] == self.own and self.own:
            return len(path) == _CALLED_ON_OWN and (path[1] == "__class__" or path[1] in self.fresh or self.inherited(path[1]))
        if self.given and path[0] in self.given and len(path) > 1:
            return self._is_new_local(path[0])
        if len(path) == 1 and path[0] in self.module:
            beside = Body(self.module[path[0]], self.resolve, {}, bound=False)
            return beside.gives_new(set(), lambda _name: False)
        return self.resolve(".".join(path)) not in _ELEMENTS


def _call_in(one: Statement) -> CallExpr | None:
    """The call of a method that a statement is, assigns or returns."""
    expr: Expression | None = None
    if isinstance(one, ExpressionStmt | ReturnStmt):
        expr = one.expr
    elif isinstance(one, AssignmentStmt):
        expr = one.rvalue
    if isinstance(expr, AwaitExpr):
        expr = expr.expr
    return expr if isinstance(expr, CallExpr) and isinstance(expr.callee, MemberExpr) else None
