"""Marks on types: what a value is to coopy, beside what it is to everybody else.

    PROXY, REPLICA   what init_system gave, or what System[T] and Replica[T] say
    VIEW             reached through one of these; also View[T]
    OWN              reached through `self` in a @readonly method

A mark is an entry in `Instance.extra_attrs` under a name that no program can spell. mypy carries it along with the type, through
assignments, generics and its cache, and does not print it. Which mark it is stands where mypy does not compare: of a union of types with
unlike `extra_attrs` it erases them, in place, so that the variables of the parts lose them too. Nothing here reports anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mypy.types import (
    AnyType,
    CallableType,
    ExtraAttrs,
    Instance,
    NoneType,
    ProperType,
    TupleType,
    Type,
    TypeAliasType,
    TypedDictType,
    TypeOfAny,
    UnionType,
    get_proper_type,
)  # fmt: skip

from coopy.kinds import ATOMS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mypy.nodes import TypeInfo

__all__ = ["OWN", "PROXIES", "PROXY", "REPLICA", "VIEW", "cleared", "has_marks", "is_atom", "is_changeable", "mark_of", "marked", "spread"]

PROXY, REPLICA, VIEW, OWN = "proxy", "replica", "view", "own"
PROXIES = (PROXY, REPLICA)
_ENTRY = "coopy mark"
_DEEP = 6  # a type nested deeper is a recursive alias: JSON = dict[str, "JSON"]
_NO_OBJECTS = frozenset(("typing", "collections.abc", "_collections_abc", "builtins.frozenset", "builtins.tuple"))


def mark_of(typ: Type | None) -> str | None:
    """The mark of a type; of a union only if all items but None have one, then the first's."""
    proper = get_proper_type(typ)
    if isinstance(proper, UnionType):
        marks = [mark_of(item) for item in proper.items if not isinstance(get_proper_type(item), NoneType)]
        return marks[0] if marks and all(marks) else None
    if isinstance(proper, TypedDictType):
        proper = proper.fallback
    if isinstance(proper, Instance) and proper.extra_attrs is not None:
        entry = proper.extra_attrs.attrs.get(_ENTRY)
        return entry.missing_import_name if isinstance(entry, AnyType) else None
    return None


def has_marks(typ: Type | None, depth: int = 0) -> bool:
    """Whether a type, or any type within it, has a mark."""
    proper = get_proper_type(typ)
    if proper is None or depth > _DEEP:
        return False
    if mark_of(proper) is not None:
        return True
    inner: Sequence[Type] = ()
    if isinstance(proper, Instance):
        inner = proper.args
    elif isinstance(proper, UnionType | TupleType):
        inner = proper.items
    elif isinstance(proper, TypedDictType):
        inner = list(proper.items.values())
    elif isinstance(proper, CallableType):
        inner = (proper.ret_type,)
    return any(has_marks(one, depth + 1) for one in inner)


def marked(typ: Instance, mark: str, members: Mapping[str, Type] | None = None) -> Instance:
    """The same type with a mark, and with members that its class may lack."""
    present = typ.extra_attrs
    attrs: dict[str, Type] = dict(present.attrs) if present is not None else {}
    attrs.update(members or {})
    attrs[_ENTRY] = AnyType(TypeOfAny.from_unimported_type, missing_import_name=mark)
    copied = typ.copy_modified()
    copied.extra_attrs = ExtraAttrs(
        dict(sorted(attrs.items())), present.immutable if present else None, present.mod_name if present else None
    )
    return copied


def spread(typ: Type, mark: str, depth: int = 0) -> Type:
    """The type with this mark on whatever of it can change, inside of containers, unions and tuples too. A mark that is there stays."""

    def change(one: Instance) -> Instance:
        return one if mark_of(one) or is_atom(one.type) else marked(one, mark)

    return _through(typ, change, depth)


def cleared(typ: Type, *, deep: bool) -> Type:
    """The type without marks: of the outermost object, or of all within it."""
    proper = get_proper_type(typ)
    if deep or isinstance(proper, TypedDictType):
        return _through(typ, _bare, 0)
    if isinstance(proper, UnionType):
        return UnionType.make_union([cleared(item, deep=False) for item in proper.items])
    return _bare(proper) if isinstance(proper, Instance) else typ


def _bare(one: Instance) -> Instance:
    if mark_of(one) is None:
        return one
    copied = one.copy_modified()
    copied.extra_attrs = None
    return copied


def _through(typ: Type, change: Callable[[Instance], Instance], depth: int) -> Type:
    if depth > _DEEP or (isinstance(typ, TypeAliasType) and typ.alias is None):
        return typ
    proper: ProperType = get_proper_type(typ)
    if isinstance(proper, Instance):
        args = [_through(arg, change, depth + 1) for arg in proper.args]
        unchanged = all(new is old for new, old in zip(args, proper.args, strict=True))
        inner = proper if unchanged else proper.copy_modified(args=args)
        outer = change(inner)
        return typ if outer is proper else outer
    if isinstance(proper, UnionType):
        items = [_through(item, change, depth + 1) for item in proper.items]
        unchanged = all(new is old for new, old in zip(items, proper.items, strict=True))
        return typ if unchanged else UnionType.make_union(items, proper.line, proper.column)
    if isinstance(proper, TupleType):
        items = [_through(item, change, depth + 1) for item in proper.items]
        fallback = proper.partial_fallback if proper.partial_fallback.type.fullname == "builtins.tuple" else change(proper.partial_fallback)
        unchanged = fallback is proper.partial_fallback and all(new is old for new, old in zip(items, proper.items, strict=True))
        return typ if unchanged else proper.copy_modified(items=items, fallback=fallback)
    if isinstance(proper, TypedDictType):
        fallback = change(proper.fallback)
        fields = {name: _through(one, change, depth + 1) for name, one in proper.items.items()}
        return proper.copy_modified(fallback=fallback, item_types=list(fields.values()))
    return typ


def is_atom(info: TypeInfo) -> bool:
    """Whether the values of this class never change."""
    return info.is_enum or any(base.fullname in ATOMS for base in info.mro)


def is_changeable(typ: Type) -> bool:
    """Whether this is an object that can change: neither an atom nor frozen nor only a way to iterate."""
    proper = get_proper_type(typ)
    if isinstance(proper, UnionType):
        return any(is_changeable(item) for item in proper.items)
    if isinstance(proper, TypedDictType):
        return True
    if not isinstance(proper, Instance) or is_atom(proper.type):
        return False
    info = proper.type
    if info.module_name in _NO_OBJECTS or info.fullname in _NO_OBJECTS:
        return info.name.startswith("Mutable")
    return not any(info.metadata.get(maker, {}).get("frozen") for maker in ("dataclass", "attrs"))
