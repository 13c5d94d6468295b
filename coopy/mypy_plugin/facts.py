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
    functions: dict[str, list[FuncDef]] = {}
    bound: dict[str, list[FuncDef]] = {}
    for function, decorators in methods_of(cls):
        names = {name for one in decorators if (name := resolve(".".join(path_of(one)))) in DECORATORS}
        marked = marked or bool(names)
        if READONLY in names:
            readonly.add(function.name)
        functions.setdefault(function.name, []).append(function)
        if not any(path_of(one) in (("staticmethod",), ("classmethod",)) for one in decorators):
            bound.setdefault(function.name, []).append(function)
    held = _containers(cls)
    fresh = {name for name, bodies in functions.items() if all(_Body(one, resolve).gives_new() for one in bodies)}
    changing = {name for name, bodies in bound.items() if name not in UNTIMELY and any(_changes_self(one, held) for one in bodies)}
    calls = {name: sorted(found) for name, bodies in bound.items() if (found := {call for one in bodies for call in _own_calls(one)})}
    return {"readonly": sorted(readonly), "marked": marked, "fresh": sorted(fresh), "changes": sorted(changing), "calls": calls}


class _Body:
    """One function, asked whether all that it returns is new."""

    def __init__(self, function: FuncDef, resolve: Resolve) -> None:
        self.function, self.resolve = function, resolve
        self.statements = list(statements(function.body.body))
        self.given: dict[str, list[Expression | None]] = {}
        self.stored: set[str] = set()
        for one in self.statements:
            if isinstance(one, AssignmentStmt):
                self._assigned(one)
            elif isinstance(one, ExpressionStmt):
                self._called(one.expr)

    def gives_new(self) -> bool:
        """Whether it returns something, and only what is visibly new."""
        given = [one.expr for one in self.statements if isinstance(one, ReturnStmt) and one.expr is not None]
        return bool(given) and not self.function.is_generator and all(self._is_new(one) for one in given)

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
        self._called(one.rvalue)

    def _called(self, expr: Expression) -> None:
        """`self.pages.append(page)` keeps what it is given; `helper(page)` is not thought to."""
        if isinstance(expr, CallExpr) and isinstance(expr.callee, MemberExpr) and self._is_kept(path_of(expr.callee)):
            self.stored.update(arg.name for arg in expr.args if isinstance(arg, NameExpr))

    def _is_kept(self, path: tuple[str, ...]) -> bool:
        """Whether a call of this keeps its arguments in the state: two names behind `self`."""
        return len(path) > 2 and bool(self.function.arguments) and path[0] == self.function.arguments[0].variable.name  # noqa: PLR2004

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


def _self_name(function: FuncDef) -> str:
    return function.arguments[0].variable.name if function.arguments else ""


def _changes_self(function: FuncDef, held: set[str]) -> bool:
    name = _self_name(function)
    return bool(name) and any(_is_change(one, name, held) for one in statements(function.body.body))


def _is_change(one: Statement, name: str, held: set[str]) -> bool:
    if isinstance(one, AssignmentStmt):
        places = [target for lvalue in one.lvalues for target in targets(lvalue)]
        if any(_is_below(place, name) for place in places):
            return True
    elif isinstance(one, OperatorAssignmentStmt):
        return _is_below(one.lvalue, name)
    elif isinstance(one, DelStmt):
        return any(_is_below(place, name) for place in targets(one.expr))
    call = _call_in(one)
    if call is None:
        return False
    path = path_of(call.callee)
    return len(path) == 3 and path[0] == name and path[1] in held and path[2] in CHANGING  # noqa: PLR2004 - self.attribute.method


def _is_below(place: Expression, name: str) -> bool:
    """Whether this is an attribute or item of the object, or of what one of its attributes holds."""
    path = path_of(place)
    return len(path) > 1 and path[0] == name


def _call_in(one: Statement) -> CallExpr | None:
    expr: Expression | None = None
    if isinstance(one, ExpressionStmt | ReturnStmt):
        expr = one.expr
    elif isinstance(one, AssignmentStmt):
        expr = one.rvalue
    if isinstance(expr, AwaitExpr):
        expr = expr.expr
    return expr if isinstance(expr, CallExpr) and isinstance(expr.callee, MemberExpr) else None


def _own_calls(function: FuncDef) -> Iterator[str]:
    name = _self_name(function)
    for one in statements(function.body.body):
        call = _call_in(one)
        path = path_of(call.callee) if call else ()
        if len(path) == 2 and path[0] == name:  # noqa: PLR2004 - self.method
            yield path[1]


def _containers(cls: ClassDef) -> set[str]:
    """The attributes that visibly hold one of Python's own containers."""
    held: set[str] = set()
    for one in class_members(cls):
        if isinstance(one, AssignmentStmt):
            held.update(place.name for place in one.lvalues if isinstance(place, NameExpr) and _is_container(one))
    for function, _ in methods_of(cls):
        if function.name == "__init__":
            name = _self_name(function)
            for one in statements(function.body.body):
                if isinstance(one, AssignmentStmt) and _is_container(one):
                    held.update(place.name for place in one.lvalues if isinstance(place, MemberExpr) and path_of(place)[:1] == (name,))
    return held


def _is_container(one: AssignmentStmt) -> bool:
    if isinstance(one.unanalyzed_type, UnboundType):
        return one.unanalyzed_type.name.rpartition(".")[2] in CONTAINERS
    value = one.rvalue
    if isinstance(value, CallExpr):
        return not CONTAINERS.isdisjoint(path_of(value.callee)[-1:])
    return isinstance(value, ListExpr | DictExpr | SetExpr | ListComprehension | DictionaryComprehension | SetComprehension)
