"""What a value is made of: a head (which kind it is, as MessagePack can write it) and the values in it, in a fixed order.

    atom      None, bool, int, float, str, bytes of exactly these types: nothing in it
    text      what never changes and holds nothing: Decimal, datetime, enum members, classes; its type and content as one text
    value     what never changes, but holds other values: tuples, frozensets, frozen dataclasses, instances of classes derived from str and the like
    object    all others: lists, dictionaries, sets, instances

What must not matter is dropped here: the order of attributes, what coopy puts into a domain object, how an object was parameterised.
"""

from __future__ import annotations

import array
import copyreg
import datetime
import decimal
import functools
import operator
import pathlib
import re
import uuid
from enum import Enum, Flag
from types import NoneType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from msgspec.msgpack import Ext

from coopy.error import NotSerializableError
from coopy.kinds import INJECTED
from coopy.pickler import is_structure

if TYPE_CHECKING:
    import zoneinfo
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["ATOMS", "DICT", "HOW", "LIST", "REDUCED", "SET", "TUPLE", "Head", "How", "Shape", "class_name", "is_value", "shape_of", "text"]

TOOLS = frozenset(INJECTED.values())  # in a copy of a domain object they are all alike
OWN = frozenset(("coopy.clock", "coopy.random"))  # what coopy puts into a domain object is not its state
PARAMETERS = "__orig_class__"  # nor is how `Box[int]()` was made
ATOMS = frozenset((str, int, bool, NoneType, bytes, float))
NAN = float("nan")
TEXT = 2  # the code of a text in MessagePack

Head: TypeAlias = tuple[Any, ...]
Shape: TypeAlias = tuple[Head, "Sequence[Any]"]

LIST: Final[Head] = (0,)
DICT: Final[Head] = (1,)
SET: Final[Head] = (2,)  # sets and frozensets
FROZENSET: Final[Head] = (3,)
TUPLE: Final[Head] = (4,)
REDUCED: Final = 5


def shape_of(value: Any) -> Shape:
    """Head and values. A dictionary's are its keys, then what they lead to. Those of SET and FROZENSET are in no order.

    Raises NotSerializableError for what cannot be part of a state.
    """
    kind: type = type(value)
    if kind is dict:
        return DICT, [*value, *value.values()]
    if kind is list:
        return LIST, value
    make = _MAKERS.get(kind) or _maker(value, kind)
    return make(value)


def text(name: str, content: str) -> Ext:
    """A value as a text."""
    return Ext(TEXT, f"{name} {content}".encode("utf-8", "surrogatepass"))


def class_name(kind: Any) -> str:
    """Where a class is found."""
    return f"{kind.__module__}.{kind.__qualname__}"


# --- kinds ---------------------------------------------------------------------------------------------------------


class How:
    """What is to be done with the values of a class: `text` gives the text of one. Otherwise they are `fixed` (values), or objects."""

    __slots__ = ("bare", "fixed", "text")

    def __init__(self, text: Callable[[Any], Any] | None = None, *, fixed: bool = False, bare: bool = False) -> None:
        self.text: Any = text
        self.fixed = fixed
        self.bare = bare  # a value only as long as it has no attributes of its own


def is_value(value: Any, how: How) -> bool:
    """Whether it cannot change."""
    return how.fixed and not (how.bare and getattr(value, "__dict__", None))


class _Kinds(dict[type, How]):
    """Class -> How, found out once for each."""

    def __missing__(self, kind: type) -> How:
        how = _LATER.get(class_name(kind)) or self._found(kind)
        self[kind] = how
        return how

    @staticmethod
    def _found(kind: type) -> How:
        slots = _slots_of(kind)
        if issubclass(kind, Enum):
            return How(_flag if issubclass(kind, Flag) else _member)
        if issubclass(kind, type):
            return How(lambda value: text("class", class_name(value)))
        if class_name(kind) in TOOLS:
            return How(lambda value: text("tool", class_name(type(value))))
        bare = any(class_name(one) in _IMMUTABLE and slots == _slots_of(one) for one in kind.__mro__)
        return How(fixed=bare or _is_frozen(kind), bare=bare)


def _is_frozen(kind: type) -> bool:
    """Whether the class itself says that its objects do not change, and are equal when what they hold is."""
    if issubclass(kind, list | dict | set):
        return False
    dataclass, struct = vars(kind).get("__dataclass_params__"), getattr(kind, "__struct_config__", None)
    return any(getattr(says, "frozen", False) is True and getattr(says, "eq", False) is True for says in (dataclass, struct))


# --- how a class's shapes are made ----------------------------------------------------------------------------------


def _maker(value: Any, kind: type) -> Callable[[Any], Shape]:
    """Chosen at the first object of a class, which Python reduces as a pickle would: that fails for what holds more than its attributes."""
    slots = _slots_of(kind)
    has_attributes = kind.__dictoffset__ != 0
    make = _reduced
    if _is_pickled_by_default(kind) and bool(slots) is not has_attributes:
        _reduction(value, kind)
        make = _by_slots if slots else _by_attributes
    _MAKERS[kind] = make
    return make


def _is_pickled_by_default(kind: type) -> bool:
    """Whether an object of this class is its attributes and nothing else, as far as the class says."""
    default: Any = object
    return (
        kind.__reduce_ex__ is default.__reduce_ex__
        and kind.__reduce__ is default.__reduce__
        and getattr(kind, "__getstate__", None) is default.__getstate__
        and not hasattr(kind, "__getnewargs__")
        and not hasattr(kind, "__getnewargs_ex__")
        and not copyreg.dispatch_table.get(kind)
        and not issubclass(kind, list | dict)
    )


def _by_attributes(value: Any) -> Shape:
    kind: type = type(value)
    state = value.__dict__
    head, get = _layout(kind, tuple(state))
    values = get(state)
    if ATOMS.issuperset(map(type, values)) or OWN.isdisjoint([kind.__module__ for kind in set(map(type, values))]):
        return head, values
    return _by_names(kind, {name: one for name, one in state.items() if type(one).__module__ not in OWN})


def _by_slots(value: Any) -> Shape:
    kind: type = type(value)
    head, get = _slot_layout(kind)
    try:
        return head, get(value)
    except AttributeError:  # one is not set
        return _by_names(kind, {name: getattr(value, name) for name in _slots_of(kind) if hasattr(value, name)})


@functools.cache
def _slot_layout(kind: type) -> tuple[Head, Callable[[Any], tuple[Any, ...]]]:
    names = _in_order(_slots_of(kind))
    head = (class_name(kind), names)
    if len(names) > 1:
        return head, operator.attrgetter(*names)
    return head, lambda value: (getattr(value, names[0]),)


def _by_names(kind: type, state: dict[str, Any]) -> Shape:
    head, get = _layout(kind, tuple(state))
    return head, get(state)


@functools.lru_cache(10_000)
def _layout(kind: type, names: tuple[Any, ...]) -> tuple[Head, Callable[[dict[Any, Any]], tuple[Any, ...]]]:
    """The head of an object that has attributes of these names, and what takes their values in the head's order."""
    names = _in_order(names)
    head = (class_name(kind), tuple(map(_shown, names)))
    if len(names) > 1:
        return head, operator.itemgetter(*names)
    return head, lambda state: tuple([state[name] for name in names])


def _in_order(names: Iterable[Any]) -> tuple[Any, ...]:
    """Names sorted. Nothing keeps a program from other keys in an object's dictionary."""
    return tuple(sorted((name for name in names if name != PARAMETERS), key=lambda name: (type(name) is not str, _shown(name))))


def _shown(name: Any) -> str:
    return name if type(name) is str else repr(name)


@functools.cache
def _slots_of(kind: type) -> tuple[str, ...]:
    return tuple(copyreg._slotnames(kind))  # type: ignore[attr-defined]  # noqa: SLF001 - what pickle itself asks


def _reduction(value: Any, kind: type) -> tuple[Any, ...]:
    """As pickle sees it: how it is made, its state, its items, its pairs."""
    registered: Any = copyreg.dispatch_table.get(kind)
    try:
        made = value.__reduce_ex__(4) if registered is None else registered(value)
    except Exception as error:
        raise NotSerializableError(str(error), method="", where="", kind=class_name(kind)) from error
    if registered is None and is_structure(kind):
        made = (*made, getattr(value, "__dict__", None) or None)  # as a state holds it (`dict=True`)
    if isinstance(made, str):
        raise NotSerializableError(f"it stands for a global name ({made}), not for a value", method="", where="", kind=class_name(kind))
    return (*made, None, None, None)[:5]


def _reduced(value: Any) -> Shape:
    """The head counts what there is of each; the values follow in this order: arguments, attributes, slots, items, keys and what they lead to."""
    kind = type(value)
    maker, args, state, items, pairs = _reduction(value, kind)
    if isinstance(value, set | frozenset) and args and type(args[0]) is list:
        args = (frozenset(args[0]), *args[1:])  # a set pickles as a list, in any order
    if maker in _PLAIN_MAKERS:
        maker, args = None, args[1:]  # the class itself comes first
    names, states = _states(state, kind)
    items, pairs = [*(items or ())], [*(pairs or ())]
    head = (REDUCED, class_name(kind), "" if maker is None else class_name(maker), len(args), names, len(items))
    return head, [*args, *states, *items, *(key for key, _ in pairs), *(one for _, one in pairs)]


def _states(state: Any, kind: type) -> tuple[tuple[str, ...] | None, list[Any]]:
    """Names and values of attributes and slots; no names and whatever `__getstate__` gave; neither."""
    if isinstance(state, tuple) and len(state) == 2:  # noqa: PLR2004 - (attributes, slots), unless only the class knows what it is
        attributes, slots = state
        if isinstance(slots, dict) and isinstance(attributes, dict | None) and not _knows_its_states(kind):
            state = {**(attributes or {}), **slots}
        elif isinstance(attributes, dict):
            state = (_without_own(attributes), slots)
    if state is None:
        return (), []
    if not isinstance(state, dict) or not all(isinstance(name, str) for name in state):
        return None, [state]
    names = tuple(name for name in _in_order(state) if type(state[name]).__module__ not in OWN)
    return tuple(map(_shown, names)), [state[name] for name in names]


def _without_own(attributes: dict[Any, Any]) -> dict[Any, Any]:
    """The very same where nothing of coopy's is in it: others may refer to it."""
    kept = {name: one for name, one in attributes.items() if type(one).__module__ not in OWN}
    return attributes if len(kept) == len(attributes) else kept


@functools.cache
def _knows_its_states(kind: type) -> bool:
    """Whether a class makes states of its own and takes them again, so that they need not be what pickle takes them for."""
    default: Any = object
    own = [name for name in ("__getstate__", "__reduce__", "__reduce_ex__") if getattr(kind, name) is not getattr(default, name)]
    return bool(own) and hasattr(kind, "__setstate__")


def _array(value: array.array[Any]) -> Shape:
    return (REDUCED, "array.array", "", 1, (), len(value)), [value.typecode, *value]


# --- what never changes --------------------------------------------------------------------------------------------


def _float(value: float) -> str:
    return "nan" if value != value else value.hex()  # noqa: PLR0124 - NaN


def _same(value: Any) -> Any:
    return value


def _text_of(name: str, content: Callable[[Any], str]) -> How:
    return How(lambda value: text(name, content(value)))


def _member(value: Any) -> Ext:
    return text("enum", f"{class_name(type(value))}.{value._name_}")


def _flag(value: Any) -> Ext:
    return text("enum", f"{class_name(type(value))}.{value._value_:d}")  # those without a name of their own are all called None


def _key(zone: zoneinfo.ZoneInfo) -> str:
    if zone.key is None:
        raise NotSerializableError("it was made from a file, and nothing says which", method="", where="", kind="zoneinfo.ZoneInfo")
    return zone.key


_PLAIN_MAKERS = (copyreg.__newobj__, copyreg.__newobj_ex__)  # type: ignore[attr-defined]
_IMMUTABLE = frozenset((  # by name: whoever has no fractions need not load their module
    *map(class_name, (
        str, int, float, complex, bytes, tuple, frozenset, slice, datetime.date, datetime.time, datetime.timedelta,
        decimal.Decimal, uuid.UUID, pathlib.PurePath,
    )),
    "fractions.Fraction",
    *(f"ipaddress.IPv{version}{what}" for version in (4, 6) for what in ("Address", "Interface", "Network")),
))  # fmt: skip
_MAKERS: dict[type, Callable[[Any], Shape]] = {
    tuple: lambda value: (TUPLE, value),
    set: lambda value: (SET, [*value]),
    frozenset: lambda value: (FROZENSET, [*value]),
    array.array: _array,
}
HOW = _Kinds({
    list: How(),
    dict: How(),
    set: How(),
    tuple: How(fixed=True),
    str: _text_of("str", str),  # with surrogates; other atoms are no texts
    int: _text_of("int", "{:x}".format),  # of more than 64 bits
    **dict.fromkeys((bool, bytes, NoneType), How(_same)),
    float: How(lambda value: value if value == value else NAN),  # noqa: PLR0124
    complex: _text_of("complex", lambda value: f"{_float(value.real)} {_float(value.imag)}"),
    datetime.date: _text_of("date", str),
    datetime.timedelta: _text_of("timedelta", lambda value: f"{value.days} {value.seconds} {value.microseconds}"),
    datetime.timezone: _text_of("timezone", repr),
    decimal.Decimal: _text_of("Decimal", lambda value: str(value).upper()),  # the decimal context decides between e and E
    uuid.UUID: _text_of("UUID", str),
    range: _text_of("range", repr),
    type(...): _text_of("Ellipsis", repr),
    type(NotImplemented): _text_of("NotImplemented", repr),
    re.Pattern: _text_of("Pattern", lambda value: f"{value.flags} {value.pattern!r}"),
    **{getattr(pathlib, name): _text_of(name, str) for name in ("PurePosixPath", "PureWindowsPath", "PosixPath")},
})  # fmt: skip
_LATER = {
    "fractions.Fraction": _text_of("Fraction", lambda value: f"{value.numerator:x}/{value.denominator:x}"),
    "zoneinfo.ZoneInfo": _text_of("ZoneInfo", _key),
}
