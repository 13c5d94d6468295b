"""What the body of a class tells of its methods, kept in `TypeInfo.metadata`: bodies and decorators are gone when a class comes from the cache.

    readonly   methods with coopy's @readonly
    marked     any method has one of coopy's decorators
    fresh      methods and properties of which every `return` visibly builds a new object
    changes    methods that change their own object: an attribute, an item of one, a container in one
    calls      of each method, the methods of its own object that it calls as statements

Read from the bare syntax while the class is defined, one look at each statement; names are resolved where they decide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mypy.nodes import (
    AssignmentStmt,
    AwaitExpr,
    BytesExpr,
    CallExpr,
    ClassDef,
    ComparisonExpr,
    ComplexExpr,
    ConditionalExpr,
    Decorator,
    DelStmt,
    DictExpr,
    DictionaryComprehension,
    Expression,
    ExpressionStmt,
    FloatExpr,
    FuncDef,
    IndexExpr,
    IntExpr,
    ListComprehension,
    ListExpr,
    MemberExpr,
    NameExpr,
    OperatorAssignmentStmt,
    OpExpr,
    OverloadedFuncDef,
    ReturnStmt,
    SetComprehension,
    SetExpr,
    SliceExpr,
    StrExpr,
    TupleExpr,
    TypeInfo,
    UnaryExpr,
)  # fmt: skip
from mypy.types import UnboundType

from coopy.kinds import CHANGING, COPYING
from coopy.mypy_plugin.tree import class_members, path_of, statements, targets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy.nodes import Statement

    Resolve = Callable[[str], str | None]  # a dotted name as it stands there -> the full name of what it means

__all__ = ["NAME", "changes", "is_fresh", "is_marked", "is_readonly", "known", "methods_of", "read"]

NAME = "coopy"
READONLY = "coopy.decorators.readonly"
DECORATORS = frozenset((READONLY, "coopy.decorators.unlocked", "coopy.decorators.abort_exception"))
COPIES = frozenset(("copy", "deepcopy", "clone", "model_copy", "evolve", "replace", "_replace", "__copy__", "__deepcopy__", "__replace__"))
CONTAINERS = frozenset(
    ("list", "dict", "set", "deque", "defaultdict", "Counter", "OrderedDict", "List", "Dict", "Set", "Deque", "bytearray")
)
UNTIMELY = frozenset(("__init__", "__new__", "__post_init__", "__attrs_post_init__", "__setstate__", "__init_subclass__"))
_LITERALS = (
    DictExpr, SetExpr, ListComprehension, SetComprehension, DictionaryComprehension, ComparisonExpr, StrExpr, BytesExpr, IntExpr, FloatExpr,
    ComplexExpr, UnaryExpr,
)  # fmt: skip


# --- what is kept ----------------------------------------------------------------------------------------------------


def known(info: TypeInfo) -> bool:
    """Whether the body of this class was looked at: not that of a stub."""
    return NAME in info.metadata


def _of(info: TypeInfo, name: str) -> tuple[TypeInfo, dict[str, Any]] | None:
    for base in info.mro:
        if name in base.names:
            return base, base.metadata.get(NAME, {})
    return None


def is_readonly(info: TypeInfo, name: str) -> bool:
    """Whether a method, inherited or own, is a query by its decorator."""
    found = _of(info, name)
    return found is not None and name in found[1].get("readonly", ())


def is_fresh(info: TypeInfo, name: str) -> bool:
    """Whether what a method or property gives is visibly a new object."""
    found = _of(info, name)
    return name in COPIES or (found is not None and name in found[1].get("fresh", ()))


def is_marked(info: TypeInfo) -> bool:
    """Whether a class has, or inherits, a method with one of coopy's decorators."""
    return any(base.metadata.get(NAME, {}).get("marked") for base in info.mro)


def changes(info: TypeInfo, name: str, seen: frozenset[str] = frozenset()) -> bool:
    """Whether a method changes its own object, itself or by methods of the same object that it calls."""
    found = _of(info, name)
    if found is None or name in seen:
        return False
    facts = found[1]
    return name in facts.get("changes", ()) or any(changes(info, one, seen | {name}) for one in facts.get("calls", {}).get(name, ()))


# --- how it is read --------------------------------------------------------------------------------------------------


def methods_of(cls: ClassDef) -> Iterator[tuple[FuncDef, list[Expression]]]:
    """Each function in a class body with its decorators; of an overload, the implementation."""
    for one in class_members(cls):
        parts: list[Statement] = [one]
        if isinstance(one, OverloadedFuncDef):
            parts = [*one.items, *([one.impl] if one.impl is not None else [])]
        for part in parts:
            if isinstance(part, Decorator):
                yield part.func, part.original_decorators or part.decorators
            elif isinstance(part, FuncDef):
                yield part, []


def read(cls: ClassDef, resolve: Resolve) -> dict[str, Any]:
    """The facts of one class."""
    readonly: set[str] = set()
    marked = False
    bodies: dict[str, list[_Body]] = {}
    for function, decorators in methods_of(cls):
        names = {name for one in decorators if (name := resolve(".".join(path_of(one)))) in DECORATORS}
        marked = marked or bool(names)
        if READONLY in names:
            readonly.add(function.name)
        unbound = any(path_of(one) in (("staticmethod",), ("classmethod",)) for one in decorators)
        bodies.setdefault(function.name, []).append(_Body(function, resolve, bound=not unbound))
    held = _containers(cls, bodies.get("__init__", []))
    return {
        "readonly": sorted(readonly),
        "marked": marked,
        "fresh": sorted(name for name, all_of in bodies.items() if all(one.gives_new() for one in all_of)),
        "changes": sorted(
            name for name, all_of in bodies.items() if name not in UNTIMELY and any(one.changes_self(held) for one in all_of)
        ),
        "calls": {
            name: sorted(found) for name, all_of in bodies.items() if (found := {call for one in all_of for call in one.own_calls()})
        },
    }


class _Body:
    """One function of a class, looked through once. `bound`: it has the object as its first argument."""

    def __init__(self, function: FuncDef, resolve: Resolve, *, bound: bool) -> None:
        self.function, self.resolve = function, resolve
        self.own = function.arguments[0].variable.name if bound and function.arguments else ""
        self.statements = statements(function.body.body)
        self.calls = [call for one in self.statements if (call := _call_in(one)) is not None]
        self.given: dict[str, list[Expression | None]] = {}
        self.stored: set[str] = set()

    def gives_new(self) -> bool:
        """Whether it returns something, and only what is visibly new."""
        given = [one.expr for one in self.statements if isinstance(one, ReturnStmt) and one.expr is not None]
        if not given or self.function.is_generator:
            return False
        for one in self.statements:
            if isinstance(one, AssignmentStmt):
                self._assigned(one)
        for call in self.calls:
            self._called(call)
        return all(self._is_new(one) for one in given)

    def changes_self(self, held: set[str]) -> bool:
        """Whether it sets an attribute or an item of its object, or changes a container in one of the attributes `held`."""
        if not self.own:
            return False
        paths = (path_of(call.callee) for call in self.calls)
        return any(self._sets(one) for one in self.statements) or any(
            len(path) == 3 and path[0] == self.own and path[1] in held and path[2] in CHANGING  # noqa: PLR2004 - self.attribute.method
            for path in paths
        )

    def own_calls(self) -> set[str]:
        """The methods of its own object that it calls as statements, or whose result it assigns or returns."""
        paths = (path_of(call.callee) for call in self.calls) if self.own else ()
        return {path[1] for path in paths if len(path) == 2 and path[0] == self.own}  # noqa: PLR2004 - self.method

    def _sets(self, one: Statement) -> bool:
        if isinstance(one, AssignmentStmt):
            return any(self._is_below(place) for lvalue in one.lvalues for place in targets(lvalue))
        if isinstance(one, OperatorAssignmentStmt):
            return self._is_below(one.lvalue)
        return isinstance(one, DelStmt) and any(self._is_below(place) for place in targets(one.expr))

    def _is_below(self, place: Expression) -> bool:
        """Whether this is an attribute or item of the object, or of what one of its attributes holds."""
        path = path_of(place)
        return len(path) > 1 and path[0] == self.own

    def _assigned(self, one: AssignmentStmt) -> None:
        single = [target for lvalue in one.lvalues for target in targets(lvalue)]
        kept = any(not isinstance(target, NameExpr) for target in single)
        for target in single:
            if isinstance(target, NameExpr):
                self.given.setdefault(target.name, []).append(one.rvalue if target in one.lvalues else None)
                if kept:
                    self.stored.add(target.name)
        if kept and isinstance(one.rvalue, NameExpr):
            self.stored.add(one.rvalue.name)

    def _called(self, call: CallExpr) -> None:
        """`self.pages.append(page)` keeps what it is given; `helper(page)` and `self.check(page)` are not thought to."""
        path = path_of(call.callee)
        if len(path) > 2 and path[0] == self.own:  # noqa: PLR2004 - self.attribute.method
            self.stored.update(arg.name for arg in call.args if isinstance(arg, NameExpr))

    def _is_new(self, expr: Expression) -> bool:  # noqa: PLR0911 - one form of expression each
        if isinstance(expr, _LITERALS):
            return True
        if isinstance(expr, ListExpr | TupleExpr):
            return isinstance(expr, ListExpr) or all(self._is_new(item) for item in expr.items)
        if isinstance(expr, OpExpr):
            return expr.op not in ("and", "or") or (self._is_new(expr.left) and self._is_new(expr.right))
        if isinstance(expr, ConditionalExpr):
            return self._is_new(expr.if_expr) and self._is_new(expr.else_expr)
        if isinstance(expr, IndexExpr):
            return isinstance(expr.index, SliceExpr)
        if isinstance(expr, NameExpr):
            return expr.name in ("None", "True", "False") or self._is_new_local(expr.name)
        return isinstance(expr, CallExpr) and self._call_is_new(expr.callee)

    def _is_new_local(self, name: str) -> bool:
        given = self.given.pop(name, [])  # while it is asked, a local made from itself is not new
        new = bool(given) and name not in self.stored and all(one is not None and self._is_new(one) for one in given)
        self.given[name] = given
        return new

    def _call_is_new(self, callee: Expression) -> bool:
        if isinstance(callee, MemberExpr) and (callee.name in COPIES or isinstance(callee.expr, StrExpr)):
            return True
        if isinstance(callee, IndexExpr):
            callee = callee.base
        path = path_of(callee)
        if not path or "[]" in path or (path[0] in self.given and len(path) == 1):
            return False
        name = self.resolve(".".join(path))
        return name is not None and (name in COPYING or name == "builtins.sorted" or name.startswith("class "))


def _call_in(one: Statement) -> CallExpr | None:
    expr: Expression | None = None
    if isinstance(one, ExpressionStmt | ReturnStmt):
        expr = one.expr
    elif isinstance(one, AssignmentStmt):
        expr = one.rvalue
    if isinstance(expr, AwaitExpr):
        expr = expr.expr
    return expr if isinstance(expr, CallExpr) and isinstance(expr.callee, MemberExpr) else None


def _containers(cls: ClassDef, makers: list[_Body]) -> set[str]:
    """The attributes that visibly hold one of Python's own containers: by their annotation, or by what `__init__` gives them."""
    held: set[str] = set()
    for one in class_members(cls):
        if isinstance(one, AssignmentStmt):
            held.update(place.name for place in one.lvalues if isinstance(place, NameExpr) and _is_container(one))
    for maker in makers:
        for one in maker.statements:
            if isinstance(one, AssignmentStmt) and _is_container(one):
                held.update(place.name for place in one.lvalues if isinstance(place, MemberExpr) and path_of(place)[:1] == (maker.own,))
    return held


def _is_container(one: AssignmentStmt) -> bool:
    if isinstance(one.unanalyzed_type, UnboundType):
        return one.unanalyzed_type.name.rpartition(".")[2] in CONTAINERS
    value = one.rvalue
    if isinstance(value, CallExpr):
        return not CONTAINERS.isdisjoint(path_of(value.callee)[-1:])
    return isinstance(value, ListExpr | DictExpr | SetExpr | ListComprehension | DictionaryComprehension | SetComprehension)
