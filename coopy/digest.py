"""The digest of a state: a hash of a canonical dump. Equal states give equal digests in any process.

The dump visits the state in a fixed order and writes for each value its type, its size and its content. What must not matter does not go
in: addresses, the order of sets, the pickle memo, the order of attributes, whether equal immutable values are one object. What matters
does: types (1, True and 1.0 differ), the order of dictionaries, which references lead to the same mutable object, cycles. NaN equals NaN.

    token      letter, size or number of parts, ":" and the content; a container's parts follow it
    reference  "r" and the number of the object in the order of first visits
    value      "v" and the hash of what it holds: named tuples, frozen dataclasses, objects of classes derived from str, int and the like

A value's mutable parts are references in it, also at their first visit; what they hold follows at the end, as the elements of sets do,
when what is referred to from elsewhere has its number. So a value that many objects share is written once, and dumps as equal ones do.

The elements of a set are put in order by what they hold, as far as KEY_OBJECTS objects reach; what is numbered already stands there as
its number, so that an element may refer back to the set. Elements that are alike as far as that are taken in any order, which matters
only if another set refers to one of them, and then two digests may differ for equal states.

Works without recursion, so that depth does not matter.
"""

from __future__ import annotations

import copyreg
import datetime
import decimal
import fractions
import functools
import hashlib
import pathlib
import re
import struct
import uuid
import zoneinfo
from collections import deque
from enum import Enum, Flag
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from types import NoneType
from typing import TYPE_CHECKING, Any

from coopy.error import NotSerializableError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

__all__ = ["digest"]

OWN = ("coopy.clock", "coopy.random")  # what coopy puts into a domain object is not its state
PARAMETERS = "__orig_class__"  # nor is how `Box[int]()` was made
FLUSH = 1 << 16
KEY_OBJECTS = 200  # a set's elements are told apart by this many objects behind each: in a web of objects everything hangs together


def digest(root: object) -> str:
    """64 hexadecimal digits. Raises NotSerializableError for what cannot be part of a state (a lock, an open file, a function)."""
    return _Dump().of(root).hex()


class _Dump:
    """One walk: of the whole, or of a set's element, which goes on with the `numbers` of the whole and visits at most `room` objects."""

    def __init__(self, numbers: dict[int, int] | None = None, room: int | None = None) -> None:
        self.hash = hashlib.blake2b(digest_size=32)
        self.out = bytearray()
        self.numbers: dict[int, int] = {} if numbers is None else numbers
        self.room = room
        self.root: object = None  # never a value: it is what changes
        self.visited: list[int] = []
        self.alive: list[object] = []  # what was visited must not be collected, or its id could come again
        self.stack: list[Any] = []
        self.later: deque[Any] = deque()  # numbered, and still to be written
        self.values: dict[int, bytes] = {}  # tokens of values, by id
        self.open: dict[int, int] = {}  # values under way: where they begin in `out`

    def of(self, root: object) -> bytes:
        stack, tokens, out, later = self.stack, _TOKENS, self.out, self.later
        self.root = root if self.room is None else None
        stack.append(root)
        while stack or later:
            if not stack:
                self.first_visit(later.popleft())
                continue
            value = stack.pop()
            token = tokens.get(type(value))
            if token is not None:
                out += token(value)
            else:
                self.visit(value)
            if len(out) > FLUSH and not self.open:
                self.hash.update(out)
                out.clear()
        self.hash.update(out)
        return self.hash.digest()

    def visit(self, value: Any) -> None:
        """A container, an object or a class."""
        kind: type = type(value)
        if kind is tuple:
            self.parts(b"t", value)
        elif kind is frozenset:
            self.elements(b"z", value)
        elif kind is _End:
            self.close(value.value)
        elif isinstance(value, Enum):
            which = value.value if isinstance(value, Flag) else value.name  # flags without a name of their own are all called None
            self.out += _sized(b"e", f"{_name(kind)}.{which}".encode())
        elif isinstance(value, type):
            self.out += _sized(b"c", _name(value).encode())
        elif id(value) in self.numbers:
            self.out += b"r%d:" % self.numbers[id(value)]
        elif value is not self.root and (_is_frozen(kind) or (_is_immutable(kind) and not getattr(value, "__dict__", None))):
            self.value(value)
        else:
            self.number(value)

    def value(self, value: Any) -> None:
        """What cannot change, so that only what it holds counts. A set's element is told apart by it in place."""
        token = self.values.get(id(value))
        if self.room is not None:
            self.visited.append(id(value))
            if self.room > len(self.visited):
                self.first_visit(value)
            else:
                self.stack.clear()
        elif token is not None:
            self.out += token
        elif id(value) in self.open:
            self.out += b"u%d:" % (len(self.open) - list(self.open).index(id(value)))  # so many levels up: values in a circle
        else:
            self.alive.append(value)
            self.open[id(value)] = len(self.out)
            self.stack.append(_End(value))
            self.first_visit(value)

    def close(self, value: object) -> None:
        """All that the value holds is written."""
        start = self.open.pop(id(value))
        token = b"v" + hashlib.blake2b(self.out[start:], digest_size=32).digest()
        self.out[start:] = token
        self.values[id(value)] = token

    def number(self, value: Any) -> None:
        """An object at its first visit."""
        self.numbers[id(value)] = number = len(self.numbers)
        self.visited.append(id(value))
        self.alive.append(value)
        if self.room is not None and self.room <= len(self.visited):
            self.stack.clear()
        elif self.open or (self.room is None and issubclass(type(value), set)):
            self.out += b"r%d:" % number
            self.later.append(value)
        else:
            self.first_visit(value)

    def first_visit(self, value: Any) -> None:
        kind: type = type(value)
        if kind is list:
            self.parts(b"l", value)
        elif kind is dict:
            self.parts(b"d", [part for item in value.items() for part in item])
        elif kind is set:
            self.elements(b"y", value)
        elif _is_plain(kind):
            self.out += _sized(b"o", _name(kind).encode())
            self.attributes(value.__dict__)
        else:
            self.reduced(value, kind)

    def parts(self, letter: bytes, values: Any) -> None:
        self.out += b"%b%d:" % (letter, len(values))
        self.stack += reversed(values)

    def elements(self, letter: bytes, values: Collection[Any]) -> None:
        """A set, in the order of what its elements hold. A walk that only tells elements apart takes that for the elements themselves."""
        if self.room is None:
            self.parts(letter, sorted(values, key=lambda one: self.key(one, KEY_OBJECTS)))
        else:
            room = (self.room - len(self.visited)) // max(1, len(values))
            self.out += b"%b%d:" % (letter, len(values))
            if room or all(type(one) in _TOKENS for one in values):
                self.out += b"".join(sorted(self.key(one, room) for one in values))

    def key(self, one: object, room: int) -> bytes:
        walk = _Dump(self.numbers, room)
        key = walk.of(one)
        for number in walk.visited:
            self.numbers.pop(number, None)
        return key

    def attributes(self, state: dict[str, Any]) -> None:
        self.parts(b"a", _by_name(state))

    def reduced(self, value: Any, kind: type) -> None:
        """As pickle sees it: how it is made, its state, its items."""
        try:
            made = value.__reduce_ex__(4)
        except Exception as error:
            what = f"A {_name(kind)} cannot be part of a state: {error}"
            raise NotSerializableError(what, method="", where=_name(kind)) from error
        if isinstance(made, str):
            raise NotSerializableError(f"A {_name(kind)} stands for a global name ({made}), not for a value.", method="", where=_name(kind))
        maker, args, state, items, pairs = (*made, None, None, None)[:5]
        if isinstance(value, set | frozenset) and args and type(args[0]) is list:
            args = (frozenset(args[0]), *args[1:])  # a set pickles as a list, in any order
        self.out += _sized(b"O", f"{_name(kind)} {'' if maker in _PLAIN_MAKERS else _name(maker)}".encode())
        rest = [args, *self.state_parts(state), list(items or ()), [part for pair in pairs or () for part in pair]]
        self.alive += rest
        self.out += b"p%d:" % len(rest)
        for part in reversed(rest):
            self.stack.append(tuple(part) if isinstance(part, list) else part)

    def state_parts(self, state: Any) -> list[Any]:
        """Attributes by name, slots by name, or whatever `__getstate__` gave."""
        if isinstance(state, tuple) and len(state) == 2 and isinstance(state[1], dict):  # noqa: PLR2004 - (attributes, slots)
            return [_by_name(state[0] or {}), _by_name(state[1])]
        return [_by_name(state)] if isinstance(state, dict) and all(isinstance(name, str) for name in state) else [state]


def _by_name(state: dict[str, Any]) -> tuple[Any, ...]:
    names = sorted(name for name, value in state.items() if name != PARAMETERS and type(value).__module__ not in OWN)
    return tuple(part for name in names for part in (name, state[name]))


def _sized(letter: bytes, content: bytes) -> bytes:
    return b"%b%d:%b" % (letter, len(content), content)


def _name(kind: Any) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


@functools.cache
def _is_plain(kind: type) -> bool:
    """Whether an object of this class is its attributes and nothing else."""
    defaults: Any = object
    return (
        kind.__reduce_ex__ is defaults.__reduce_ex__
        and kind.__reduce__ is defaults.__reduce__
        and getattr(kind, "__getstate__", None) is defaults.__getstate__
        and not hasattr(kind, "__getnewargs__")
        and not hasattr(kind, "__getnewargs_ex__")
        and kind.__basicsize__ <= _Plain.__basicsize__
        and kind.__dictoffset__ != 0
        and not copyreg.dispatch_table.get(kind)
        and not issubclass(kind, list | dict | set | tuple)
    )


@functools.cache
def _is_frozen(kind: type) -> bool:
    """Whether a class says that its objects do not change."""
    dataclass, struct = getattr(kind, "__dataclass_params__", None), getattr(kind, "__struct_config__", None)
    return getattr(dataclass, "frozen", False) is True or getattr(struct, "frozen", False) is True


@functools.cache
def _is_immutable(kind: type) -> bool:
    """Whether its objects cannot change but for attributes of their own."""
    return issubclass(kind, _IMMUTABLE)


class _End:
    """On the stack: where a value ends."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value


class _Plain:
    """What a class without slots or built-in base looks like."""


def _float(value: float) -> bytes:
    return b"f:" + (b"nan" if value != value else struct.pack("<d", value))  # noqa: PLR0124 - NaN


def _moment(value: datetime.datetime | datetime.time) -> bytes:
    zone = value.tzinfo
    if zone is None:
        which = ""
    elif isinstance(zone, zoneinfo.ZoneInfo) and zone.key:
        which = zone.key
    else:
        which = repr(zone) if type(zone) is datetime.timezone else digest(zone)
    return _sized(b"T", f"{type(value).__name__} {value.replace(tzinfo=None).isoformat()} {value.fold} {which}".encode())


def _text_of(letter: bytes, text: Callable[[Any], str]) -> Callable[[Any], bytes]:
    return lambda value: _sized(letter, f"{type(value).__name__} {text(value)}".encode("utf-8", "surrogatepass"))


_IMMUTABLE: tuple[type, ...] = (
    str, int, float, complex, bytes, tuple, frozenset, slice, datetime.date, datetime.time, datetime.timedelta, decimal.Decimal, fractions.Fraction,
    uuid.UUID, pathlib.PurePath, IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network,
)  # fmt: skip
_PLAIN_MAKERS = (copyreg.__newobj__, copyreg.__newobj_ex__)  # type: ignore[attr-defined]
_TOKENS: dict[type, Callable[[Any], bytes]] = {
    str: lambda value: _sized(b"s", value.encode("utf-8", "surrogatepass")),
    int: lambda value: b"i%x:" % value,
    bool: lambda value: b"T:" if value else b"F:",
    NoneType: lambda _value: b"N:",
    float: _float,
    complex: lambda value: b"j:" + _float(value.real) + _float(value.imag),
    bytes: lambda value: _sized(b"b", value),
    datetime.datetime: _moment,
    datetime.time: _moment,
    datetime.date: _text_of(b"D", str),
    datetime.timedelta: _text_of(b"D", repr),
    datetime.timezone: _text_of(b"D", repr),
    decimal.Decimal: _text_of(b"V", lambda value: str(value.as_tuple())),
    fractions.Fraction: _text_of(b"V", lambda value: f"{value.numerator:x}/{value.denominator:x}"),
    uuid.UUID: _text_of(b"V", str),
    range: _text_of(b"V", repr),
    type(...): _text_of(b"V", repr),
    type(NotImplemented): _text_of(b"V", repr),
    re.Pattern: _text_of(b"V", lambda value: f"{value.flags} {value.pattern!r}"),
    zoneinfo.ZoneInfo: _text_of(b"V", lambda value: value.key),
    **{getattr(pathlib, name): _text_of(b"V", str) for name in ("PurePosixPath", "PureWindowsPath", "PosixPath")},
}
