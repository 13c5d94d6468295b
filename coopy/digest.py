"""The digest of a state: a hash of a canonical dump. Equal states give equal digests in any process.

The dump visits the state in a fixed order and writes for each value its type, its size and its content. What must not matter does not go
in: addresses, the order of sets, the pickle memo, the order of attributes, whether equal immutable values are one object. What matters
does: types (1, True and 1.0 differ), the order of dictionaries, which references lead to the same mutable object, cycles. NaN equals NaN.

    token      letter, size or number of parts, ":" and the content; a container's parts follow it
    reference  "r" and the number of the object in the order of first visits

The elements of a set are put in order by what they hold, as far as KEY_OBJECTS objects reach; what is numbered already stands there as
its number, so that an element may refer back to the set. Elements that are alike as far as that are taken in any order, which matters
only if other references lead to one of them, and then two digests may differ for equal states.

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
from enum import Enum, Flag
from types import NoneType
from typing import TYPE_CHECKING, Any

from coopy.error import NotSerializableError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

__all__ = ["digest"]

OWN = ("coopy.clock", "coopy.random")  # what coopy puts into a domain object is not its state
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
        self.visited: list[int] = []
        self.alive: list[object] = []  # what was visited must not be collected, or its id could come again
        self.stack: list[Any] = []

    def of(self, root: object) -> bytes:
        stack, tokens, out = self.stack, _TOKENS, self.out
        stack.append(root)
        while stack:
            value = stack.pop()
            token = tokens.get(type(value))
            if token is not None:
                out += token(value)
            else:
                self.visit(value)
            if len(out) > FLUSH:
                self.hash.update(out)
                out.clear()
        self.hash.update(out)
        return self.hash.digest()

    def visit(self, value: Any) -> None:
        """A container, an object or a class."""
        kind = type(value)
        if kind is tuple:
            self.parts(b"t", value)
        elif kind is frozenset:
            self.elements(b"z", value)
        elif isinstance(value, Enum):
            which = value.value if isinstance(value, Flag) else value.name  # flags without a name of their own are all called None
            self.out += _sized(b"e", f"{_name(kind)}.{which}".encode())
        elif isinstance(value, type):
            self.out += _sized(b"c", _name(value).encode())
        elif id(value) in self.numbers:
            self.out += b"r%d:" % self.numbers[id(value)]
        else:
            self.numbers[id(value)] = len(self.numbers)
            self.visited.append(id(value))
            self.alive.append(value)
            if self.room is None or self.room > len(self.visited):
                self.first_visit(value, kind)
            else:
                self.stack.clear()

    def first_visit(self, value: Any, kind: type) -> None:
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
            del self.numbers[number]
        return key

    def attributes(self, state: dict[str, Any]) -> None:
        names = sorted(name for name, value in state.items() if type(value).__module__ not in OWN)
        self.parts(b"a", [part for name in names for part in (name, state[name])])

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
    return tuple(part for name in sorted(state) if type(state[name]).__module__ not in OWN for part in (name, state[name]))


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
    re.Pattern: _text_of(b"V", lambda value: f"{value.flags} {value.pattern!r}"),
    zoneinfo.ZoneInfo: _text_of(b"V", lambda value: value.key),
    **{getattr(pathlib, name): _text_of(b"V", str) for name in ("PurePosixPath", "PureWindowsPath", "PosixPath")},
}
