"""The canonical dump of a state, and its hash. docs/format.md says what is written.

The walk gives each object a number where it is first referred to, and writes the record of each in the order of the numbers: its kind, its
parts and, where a part is an object, that one's number. Records are flat, so depth does not matter, and no reference is followed twice.

A set that holds objects waits until all that can be reached otherwise is written: then most of its elements have numbers, by which they are
put in order. Elements that only such sets hold get theirs in the order of what they are; `order.py` tells apart those that are alike.
"""

from __future__ import annotations

import datetime
import hashlib
import operator
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from msgspec.msgpack import Ext

from coopy.digest.order import Vertex, in_order
from coopy.digest.path import located
from coopy.digest.shape import ATOMS, FROZENSET, HOW, SET, TUPLE, How, is_value, shape_of, text
from coopy.error import NotSerializableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from coopy.digest.shape import Head

    _Element: TypeAlias = tuple[Any, tuple[int, ...]]  # an object, and the numbers of the sets that hold it
    _Keys: TypeAlias = dict[int, tuple[Any, bytes]]  # by id, an object and its key

__all__ = ["Dump", "digest", "hash_of"]

FLUSH = 1 << 16
VALUE = 1  # the code of a value in MessagePack
OBJECT: dict[Any, Any] = {}  # what stands for an object among the parts of a record; never changed
SMALL = 16  # values of so many parts, none of them a value, are hashed again where they stand again: remembering them costs more

_encode = msgspec.msgpack.Encoder().encode
_EXACT = ATOMS - {float}  # of which every value is written as it is


def digest(root: object, pulse: Callable[[], object] | None = None) -> str:
    """64 hexadecimal digits. Raises NotSerializableError for what cannot be part of a state (a lock, an open file, a function).

    `where` of the error is its place (`wiki.pages['Home'].lock`), `kind` its class. `pulse` is called as it gets on.
    """
    try:
        return hash_of(Dump(), root, pulse)
    except NotSerializableError as error:
        raise located(root, error) from error.__cause__


def hash_of(dump: Dump, root: object, pulse: Callable[[], object] | None = None) -> str:
    """The same by a dump that is kept. The error is without a path."""
    hashed = hashlib.blake2b(digest_size=32)
    if pulse is None:
        dump.write(root, hashed.update)
        return hashed.hexdigest()

    def update(data: bytearray) -> None:
        hashed.update(data)
        pulse()

    dump.write(root, update)
    return hashed.hexdigest()


class Dump:
    """One walk over a state. Afterwards `numbers` has each object's number by its id, and `objects` the objects by number."""

    def __init__(self) -> None:
        self.numbers: dict[int, int] = {}
        self.objects: list[Any] = []  # what is numbered must not be collected, or its id could come again
        self._written = 0
        self._out = bytearray()
        self._to: Callable[[bytearray], object] = _nowhere
        self._waiting: list[_Waiting] = []
        self._unready: list[_Waiting] = []  # those of them with elements that have no number
        self._values: dict[int, Any] = {}  # by id: a value's hash, or OBJECT if an object is in it
        self._alive: list[Any] = []

    def write(self, root: object, to: Callable[[bytearray], object]) -> None:
        """Write the dump by calls of `to`, each with bytes that change when it has returned. Raises NotSerializableError, without a path."""
        self._to = to
        self._write((), *self._split((root,)))
        self._write_objects()
        while self._number_elements():
            self._write_objects()
        for one in self._waiting:
            self._write(one.head, *self._split(one.values))
        to(self._out)

    def _write_objects(self) -> None:
        """The records of all that are numbered and not written. Those that they refer to come to them."""
        while self._written < len(self.objects):
            objects = self.objects[self._written :]
            for number, value in enumerate(objects, self._written):
                head, values = shape_of(value)
                parts, inner = self._split(values)
                if inner and (head is SET or head is FROZENSET):
                    self._waiting.append(_Waiting(number, head, values))
                    self._unready.append(self._waiting[-1])
                else:
                    self._write(head, parts, inner)
            self._written += len(objects)

    def _write(self, head: Head, parts: list[Any], objects: list[Any]) -> None:
        numbers, known = [], self.numbers
        for one in objects:
            number = known.get(id(one))
            if number is None:
                number = known[id(one)] = len(self.objects)
                self.objects.append(one)
            numbers.append(number)
        self._out += _record(head, parts, numbers)
        if len(self._out) > FLUSH:
            self._to(self._out)
            self._out.clear()

    # --- parts of records --------------------------------------------------------------------------------------------

    def _split(self, values: Iterable[Any]) -> tuple[list[Any], list[Any]]:
        """The parts of a record, and the objects among the values, for which OBJECT stands in the parts."""
        parts: list[Any] = []
        objects, exact = [], _EXACT
        for one in values:
            kind = type(one)
            if kind in exact:
                parts.append(one)
                continue
            how = HOW[kind]
            if how.text is not None:
                parts.append(how.text(one))
                continue
            part = self._value(one, kind) if how.fixed else OBJECT
            parts.append(part)
            if part is OBJECT:
                objects.append(one)
        return parts, objects

    def _value(self, value: Any, kind: type) -> Any:
        """What stands for a value in any record; OBJECT if it is one."""
        part = self._known(value, kind)
        return self._hashed(value) if part is None else part

    def _known(self, value: Any, kind: type) -> Any:
        """The same as far as it needs no look at other values, else None."""
        if kind is tuple and ATOMS.issuperset(map(type, value)):
            return value if all(map(operator.eq, value, value)) else tuple([HOW[type(one)].text(one) for one in value])  # NaN
        return self._values.get(id(value)) if is_value(value, HOW[kind]) else OBJECT

    def _hashed(self, value: Any) -> Any:
        """A value's hash. OBJECT if it holds an object, at whatever depth, or itself."""
        ways = [_Way(value)]
        inside = {id(value)}
        while True:
            way = ways[-1]
            found = self._next(way, inside)
            if found is OBJECT:
                for one in ways:
                    self._remember(one, OBJECT)
                return OBJECT
            if found is not None:
                ways.append(found)
                inside.add(id(found.value))
                continue
            part = _hash(_record(way.head, way.parts))
            if way.deep or len(way.parts) > SMALL:
                self._remember(way, part)
            ways.pop()
            if not ways:
                return part
            inside.discard(id(way.value))
            ways[-1].deep = True
            ways[-1].parts.append(part)

    def _next(self, way: _Way, inside: set[int]) -> Any:
        """Takes parts as long as they are known. Gives the way into one that is not, OBJECT at one, or None at the end."""
        for one in way.rest:
            kind = type(one)
            how = HOW[kind]
            part = (one if kind in _EXACT else how.text(one)) if how.text is not None else self._known(one, kind)
            if part is OBJECT or (part is None and id(one) in inside):
                return OBJECT
            if part is None and one is not None:
                return _Way(one)
            way.parts.append(part)
        return None

    def _remember(self, way: _Way, part: Any) -> None:
        self._values[id(way.value)] = part
        self._alive.append((way.value, way.values))

    def part(self, value: Any) -> bytes | None:
        """What stands for a value in a record, in MessagePack; None if it is an object."""
        (part,), objects = self._split((value,))
        return None if objects else _encoded(part)

    # --- sets of objects -----------------------------------------------------------------------------------------------

    def _number_elements(self) -> bool:
        """Give numbers to elements of sets that wait. False if all have one."""
        elements = self._elements()
        bare: _Keys = {}
        found = self._unlike(elements, 0, bare) or self._unlike(elements, 1, bare) or self._by_neighbours(elements, bare)
        for one in found:
            self.numbers[id(one)] = len(self.objects)
            self.objects.append(one)
        return bool(found)

    def _elements(self) -> list[_Element]:
        """Elements without a number of the sets that wait, each with the numbers of these sets."""
        found: dict[int, Any] = {}
        holders: dict[int, tuple[int, ...]] = {}
        many: dict[int, list[int]] = {}  # of those that several sets hold
        unready = []
        for waiting in self._unready:
            new = [one for one in self._split(waiting.values)[1] if id(one) not in self.numbers]
            alone = (waiting.number,)
            for one in new:
                key = id(one)
                if holders.setdefault(key, alone) is not alone:
                    many.setdefault(key, [*holders[key]]).append(waiting.number)
                found[key] = one
            if new:
                unready.append(waiting)
        self._unready = unready
        holders.update({key: tuple(numbers) for key, numbers in many.items()})
        return list(zip(found.values(), holders.values(), strict=True))

    def _unlike(self, elements: list[_Element], depth: int, bare: _Keys) -> list[Any]:
        """The elements that are like no other, in order; none if that are less than half of them."""
        by_key: dict[bytes, Any] = {}
        for one, sets in elements:
            key = self.key(one, depth, bare)
            if not depth:
                bare[id(one)] = one, key
            key += _encode(sets)
            by_key[key] = OBJECT if key in by_key else one
        found = [by_key[key] for key in sorted(by_key) if by_key[key] is not OBJECT]
        return found if len(found) * 2 >= len(elements) else []

    def key(self, value: Any, depth: int, known: _Keys) -> bytes:
        """Hash of a record in which the keys of objects stand for numbers that are missing, or nil at the last depth. `known`: keys by id."""
        head, values = shape_of(value)
        parts, objects = self._split(values)
        numbers: list[Any] = []
        for one in objects:
            number: Any = self.numbers.get(id(one))
            if number is None and depth:
                if id(one) not in known:
                    known[id(one)] = one, self.key(one, depth - 1, known)
                number = known[id(one)][1]
            numbers.append(number)
        return hashlib.blake2b(_record(head, parts, numbers), digest_size=32).digest()

    def _by_neighbours(self, elements: list[_Element], bare: _Keys) -> list[Any]:
        """All elements in the order that `order.py` finds."""
        vertices = _Vertices()
        for one, sets in elements:
            vertices.of(one).sets = sets
        for vertex in vertices.all:  # grows meanwhile
            vertex.key = bare[id(vertex.value)][1] if id(vertex.value) in bare else self.key(vertex.value, 0, {})
            head, values = shape_of(vertex.value)
            vertex.is_set = head is SET or head is FROZENSET
            for one in self._split(values)[1]:
                if id(one) not in self.numbers:
                    vertex.refer_to(vertices.of(one))
        return [vertices.all[which].value for which in in_order(vertices.all, len(self.objects)) if which < len(elements)]


def _nowhere(_: bytearray) -> None:
    """Where a dump goes that is not being written."""


class _Waiting:
    """A set that holds objects."""

    __slots__ = ("head", "number", "values")

    def __init__(self, number: int, head: Head, values: Iterable[Any]) -> None:
        self.number, self.head, self.values = number, head, values


class _Vertices:
    """Vertices by the ids of their objects."""

    def __init__(self) -> None:
        self.all: list[Vertex] = []
        self._by_id: dict[int, Vertex] = {}

    def of(self, value: Any) -> Vertex:
        """The one of this object, made if it is not there."""
        known = self._by_id.get(id(value))
        if known is None:
            known = self._by_id[id(value)] = Vertex(value, len(self.all))
            self.all.append(known)
        return known


class _Way:
    """A value whose parts are looked at: `rest` is still to come."""

    __slots__ = ("deep", "head", "parts", "rest", "value", "values")

    def __init__(self, value: Any) -> None:
        self.value = value
        self.head, self.values = shape_of(value)
        self.rest = iter(self.values)
        self.parts: list[Any] = []
        self.deep = False  # other values are in it


# --- MessagePack -----------------------------------------------------------------------------------------------------


def _record(head: Head, parts: list[Any], numbers: list[Any] | None = None) -> bytes:
    """An array of the head, the parts and the numbers of objects among them. A set's parts are in the order of their bytes, and so are its numbers."""
    if head is not SET and head is not FROZENSET:
        return _encoded((*head, *parts) if numbers is None else (*head, *parts, numbers))
    rest = () if numbers is None else (_encode(sorted(numbers, key=_encode)),)
    return b"".join((_array_header(1 + len(parts) + len(rest)), _encode(head[0]), *sorted(map(_encoded, parts)), *rest))


def _array_header(size: int) -> bytes:
    if size < 1 << 4:
        return bytes((0x90 | size,))
    return b"\xdc" + size.to_bytes(2, "big") if size < 1 << 16 else b"\xdd" + size.to_bytes(4, "big")


def _encoded(part: Any) -> bytes:
    """Integers of more than 64 bits, and text that UTF-8 cannot express, are not of MessagePack: they become texts."""
    try:
        return _encode(part)
    except (OverflowError, UnicodeEncodeError):
        return _encode(tuple(map(_within, part)) if type(part) is tuple else _within(part))


def _within(part: Any) -> Any:
    """A part as MessagePack has it."""
    if type(part) is not tuple:
        try:
            _encode(part)
        except (OverflowError, UnicodeEncodeError):
            return HOW[type(part)].text(part)
        return part
    inner = tuple(map(_within, part))
    return part if all(map(operator.is_, inner, part)) else _hash(_encode((*TUPLE, *inner)))


def _hash(record: bytes) -> Ext:
    return Ext(VALUE, hashlib.blake2b(record, digest_size=32).digest())


def _moment(value: datetime.datetime | datetime.time) -> Ext:
    """Year (2 bytes), month (128 more if `fold`), day, hour, minute, second, microsecond (3); of a time from the hour (128 more) on; and the zone."""
    state, *zone = value.__reduce_ex__(4)[1]  # type: ignore[str-unpack]
    return text(type(value).__name__, f"{state.hex()} {_zone(zone[0])}" if zone else state.hex())  # type: ignore[union-attr,arg-type]


def _zone(zone: datetime.tzinfo) -> str:
    """A zone of the domain's own is a state in itself."""
    how = HOW[type(zone)]
    return bytes(how.text(zone).data).decode() if how.text is not None else f"digest {hash_of(Dump(), zone)}"


HOW.update({datetime.datetime: How(_moment), datetime.time: How(_moment)})
