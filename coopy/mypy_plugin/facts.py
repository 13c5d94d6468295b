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
    CallExpr,
    ClassDef,
    Decorator,
    DictExpr,
    DictionaryComprehension,
    Expression,
    FuncDef,
    ListComprehension,
    ListExpr,
    MemberExpr,
    NameExpr,
    OverloadedFuncDef,
    SetComprehension,
    SetExpr,
    TypeInfo,
)  # fmt: skip
from mypy.types import UnboundType

from coopy.kinds import CHANGES, IN_PLACE
from coopy.mypy_plugin.bodies import COPIES, Body
from coopy.mypy_plugin.tree import class_members, path_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mypy.nodes import Statement

    Resolve = Callable[[str], str | None]  # a dotted name as it stands there -> the full name of what it means

__all__ = [
    "ITEM_CHANGES",
    "NAME",
    "is_action",
    "is_changing",
    "is_fresh",
    "is_marked",
    "is_own",
    "is_readonly",
    "known",
    "methods_of",
    "published",
    "read",
]

NAME = "coopy"
READONLY = "coopy.decorators.readonly"
DECORATORS = frozenset((READONLY, "coopy.decorators.unlocked", "coopy.decorators.abort_exception"))
CONTAINERS = frozenset(
    ("list", "dict", "set", "deque", "defaultdict", "Counter", "OrderedDict", "List", "Dict", "Set", "Deque", "bytearray")
)
UNTIMELY = frozenset(("__init__", "__new__", "__post_init__", "__attrs_post_init__", "__setstate__", "__init_subclass__"))

ITEM_CHANGES = ("__setitem__", "__delitem__")

# --- what is kept ----------------------------------------------------------------------------------------------------


def known(info: TypeInfo) -> bool:
    """Whether the body of this class was looked at: not that of a stub."""
    return NAME in info.metadata


def _of(bases: Sequence[TypeInfo], name: str) -> dict[str, Any]:
    """The facts of the class that a method comes from."""
    return next((base.metadata.get(NAME, {}) for base in bases if name in base.names), {})


def is_readonly(info: TypeInfo, name: str) -> bool:
    """Whether a method, inherited or own, is a query by its decorator."""
    return name in _of(info.mro, name).get("readonly", ())


def is_fresh(info: TypeInfo, name: str, *, inherited: bool = False) -> bool:
    """Whether what a method or property gives is visibly a new object, or nothing is known of it. `inherited`: of the bases only."""
    return name in COPIES or name in _of(info.mro[1:] if inherited else info.mro, name).get("fresh", ())


def is_marked(info: TypeInfo) -> bool:
    """Whether a class has, or inherits, a method with one of coopy's decorators."""
    return any(base.metadata.get(NAME, {}).get("marked") for base in info.mro)


def changes(info: TypeInfo, name: str, seen: frozenset[str] = frozenset()) -> bool:
    """Whether a method changes its own object, itself or by methods of the same object that it calls."""
    if name in seen:
        return False
    facts = _of(info.mro, name)
    return name in facts.get("changes", ()) or any(changes(info, one, seen | {name}) for one in facts.get("calls", {}).get(name, ()))


def published(info: TypeInfo) -> str:
    """The name of the variable whose type is the facts of a class. No program can spell it."""
    return f"coopy facts of {info.fullname}"


def is_action(info: TypeInfo, name: str) -> bool:
    """Whether calling this on a proxy is an action: a public method that is not @readonly and sees the state."""
    symbol = info.get(name)
    if symbol is None or name.startswith("_") or is_readonly(info, name):
        return False
    node = symbol.node
    if isinstance(node, Decorator):
        node = node.func if not node.var.is_property else None
    if isinstance(node, OverloadedFuncDef):
        return not node.is_property and not node.is_static and not node.is_class
    return isinstance(node, FuncDef) and not node.is_property and not node.is_static and not node.is_class


def is_own(info: TypeInfo, name: str) -> bool:
    """Whether the method is the program's own: what a class of the library does is not known here."""
    symbol = info.get(name)
    owner = getattr(symbol.node, "info", None) if symbol is not None else None
    return isinstance(owner, TypeInfo) and known(owner)


def is_changing(info: TypeInfo, name: str) -> bool:
    """Whether a method changes its object."""
    if changes(info, name) or name in ITEM_CHANGES:
        return True
    kinds = [base.fullname for base in info.mro if base.fullname in CHANGES]
    if not kinds or is_own(info, name):
        return False
    return name in IN_PLACE or any(name in CHANGES[kind] for kind in kinds)


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


def read(cls: ClassDef, resolve: Resolve, module: Mapping[str, FuncDef], inherited: Callable[[str], bool]) -> dict[str, Any]:
    """The facts of one class. `module`: the functions beside it; `inherited`: whether a method of a base is fresh."""
    readonly: set[str] = set()
    marked = False
    bodies: dict[str, list[Body]] = {}
    fresh: set[str] = set()
    for function, decorators in methods_of(cls):
        names = {name for one in decorators if (name := resolve(".".join(path_of(one)))) in DECORATORS}
        marked = marked or bool(names)
        if READONLY in names:
            readonly.add(function.name)
        unbound = any(path_of(one) in (("staticmethod",), ("classmethod",)) for one in decorators)
        if unbound or not function.body.body:  # it sees no state; mypy has left the body out
            fresh.add(function.name)
        bodies.setdefault(function.name, []).append(Body(function, resolve, module, bound=not unbound))
    held = _containers(cls, bodies.get("__init__", []))
    growing = True
    while growing:
        found = {name for name, all_of in bodies.items() if all(one.gives_new(fresh, inherited) for one in all_of)} | fresh
        growing, fresh = found != fresh, found
    return {
        "readonly": sorted(readonly),
        "marked": marked,
        "fresh": sorted(fresh),
        "changes": sorted(
            name for name, all_of in bodies.items() if name not in UNTIMELY and any(one.changes_self(held) for one in all_of)
        ),
        "calls": {
            name: sorted(calls) for name, all_of in bodies.items() if (calls := {call for one in all_of for call in one.own_calls()})
        },
    }


def _containers(cls: ClassDef, makers: list[Body]) -> set[str]:
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
