"""The digest as docs/format.md defines it, word by word and without a thought for speed: what another program would do.

Only for the kinds of values that random states are made of.
"""

from __future__ import annotations

import collections
from hashlib import blake2b
from typing import Any

from msgspec.msgpack import Ext, encode

from tests.unit.random_states import Frame

ATOMS = (type(None), bool, int, float, str, bytes)
BUILT_IN: tuple[type, ...] = (list, dict, set, frozenset, tuple)
OBJECT: dict[Any, Any] = {}
NAN = float("nan")


def plain_digest(root: Any) -> str:
    """64 hexadecimal digits."""
    return blake2b(b"".join(_Plain().dump(root)), digest_size=32).hexdigest()


def hashed(data: bytes) -> bytes:
    return blake2b(data, digest_size=32).digest()


def part(value: Any) -> Any:
    """What stands for a value in a record."""
    if isinstance(value, ATOMS) or (type(value) is tuple and all(type(one) in ATOMS for one in value)):
        inner = [atom(one) for one in value] if isinstance(value, tuple) else []
        if any(isinstance(one, Ext) for one in inner):
            return Ext(1, hashed(encode([4, *inner])))
        return inner if isinstance(value, tuple) else atom(value)
    if isinstance(value, complex):
        return Ext(2, f"complex {value.real.hex()} {value.imag.hex()}".encode())
    return OBJECT if is_object(value, []) else Ext(1, hashed(record(value, None)))


def atom(value: Any) -> Any:
    """As MessagePack has it, or a text."""
    if isinstance(value, float) and str(value) == "nan":
        return NAN
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return Ext(2, f"int {value:x}".encode())
    if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
        return Ext(2, f"str {value}".encode("utf-8", "surrogatepass"))
    return value


def is_object(value: Any, inside: list[Any]) -> bool:
    """Whether it can change, or holds what can, or itself."""
    if isinstance(value, (*ATOMS, complex)):
        return False
    if not isinstance(value, tuple | frozenset | Frame) or is_in(value, inside):
        return True
    inner = [value.inside] if isinstance(value, Frame) else value
    return any(is_object(one, [*inside, value]) for one in inner)


def shape(value: Any) -> tuple[list[Any], list[Any]]:
    """What a record begins with, and the values in it."""
    name = f"{type(value).__module__}.{type(value).__qualname__}"
    pairs = [*value, *value.values()] if isinstance(value, dict) else []
    if isinstance(value, collections.deque):
        return [5, name, name, 0, [], len(value)], [*value]
    if type(value) is collections.defaultdict:
        return [5, name, name, 1, [], 0], [list, *pairs]
    if type(value) is collections.OrderedDict:
        return [5, name, name, 0, [], 0], pairs
    if type(value) in BUILT_IN:
        return [BUILT_IN.index(type(value))], pairs or [*value]
    names = [one for one in sorted((*getattr(value, "__dict__", ()), *getattr(type(value), "__slots__", ()))) if hasattr(value, one)]
    return [name, names], [getattr(value, one) for one in names]


def record(value: Any, numbers: list[Any] | None) -> bytes:
    """With its numbers, if it is an object."""
    head, values = shape(value)
    parts = [Ext(2, b"class builtins.list") if one is list else part(one) for one in values]
    rest = [] if numbers is None else [numbers]
    if not is_set(value):
        return encode([*head, *parts, *rest])
    size = len(encode([None] * (1 + len(parts) + len(rest)))) - (1 + len(parts) + len(rest))
    header = encode([None] * (1 + len(parts) + len(rest)))[:size]
    numbers_last = [encode(sorted(one, key=encode)) for one in rest]
    return b"".join((header, encode(head[0]), *sorted(map(encode, parts)), *numbers_last))


def is_set(value: Any) -> bool:
    return type(value) in {set, frozenset}


def objects_in(value: Any) -> list[Any]:
    return [one for one in shape(value)[1] if one is not list and part(one) is OBJECT]


class _Plain:
    def __init__(self) -> None:
        self.objects: list[Any] = []
        self.waiting: list[Any] = []

    def number(self, value: Any) -> int | None:
        return next((number for number, one in enumerate(self.objects) if one is value), None)

    def dump(self, root: Any) -> list[bytes]:
        records = [encode([part(root), self.numbers([root] if part(root) is OBJECT else [])])]
        written = 0
        while True:
            while written < len(self.objects):
                value = self.objects[written]
                if is_set(value) and objects_in(value):
                    self.waiting.append(value)
                else:
                    records.append(record(value, self.numbers(objects_in(value))))
                written += 1
            elements = self.elements()
            if not elements:
                return records + [record(value, self.numbers(objects_in(value))) for value in self.waiting]
            self.objects += self.in_order(elements)

    def numbers(self, objects: list[Any]) -> list[int]:
        found = []
        for one in objects:
            if self.number(one) is None:
                self.objects.append(one)
            found.append(self.number(one))
        return [number for number in found if number is not None]

    def elements(self) -> list[Any]:
        found: list[Any] = []
        for value in self.waiting:
            found += [one for one in objects_in(value) if self.number(one) is None and not is_in(one, found)]
        return found

    def sets(self, element: Any) -> list[int]:
        return [number for number, value in enumerate(self.objects) if is_in(value, self.waiting) and is_in(element, objects_in(value))]

    def key(self, value: Any, depth: int) -> bytes:
        numbers: list[Any] = []
        for one in objects_in(value):
            number: Any = self.number(one)
            numbers.append(self.key(one, depth - 1) if number is None and depth else number)
        return hashed(record(value, numbers))

    def in_order(self, elements: list[Any]) -> list[Any]:
        for depth in (0, 1):
            keys = [self.key(one, depth) + encode(self.sets(one)) for one in elements]
            alone = sorted((key, at) for at, key in enumerate(keys) if keys.count(key) == 1)
            if len(alone) * 2 >= len(elements):
                return [elements[at] for _, at in alone]
        cells = self.cells(elements)
        return [one for cell in cells for one in cell if is_in(one, elements)]

    def cells(self, elements: list[Any]) -> list[list[Any]]:
        vertices = [*elements]
        for vertex in vertices:
            vertices += [one for one in distinct(objects_in(vertex)) if self.number(one) is None and not is_in(one, vertices)]
        cells = divided([vertices], lambda one: self.key(one, 0))
        cells = self.rounds(cells, vertices)
        cells = self.rounds(divided(cells, lambda one: self.surroundings(one, cells, vertices)), vertices)
        while any(len(cell) > 1 for cell in cells):
            at = next(at for at, cell in enumerate(cells) if len(cell) > 1)
            cells = self.rounds([*cells[:at], cells[at][:1], cells[at][1:], *cells[at + 1 :]], vertices)
        return cells

    def rounds(self, cells: list[list[Any]], vertices: list[Any]) -> list[list[Any]]:
        while True:
            after = divided(cells, lambda one, cells=cells: self.signature(one, cells, vertices))
            if len(after) == len(cells):
                return cells
            cells = after

    def targets(self, value: Any) -> list[Any]:
        return [one for one in objects_in(value) if self.number(one) is None]

    def signature(self, value: Any, cells: list[list[Any]], vertices: list[Any]) -> Any:
        refers = [rank(one, cells) for one in self.targets(value)]
        referred = [
            (len(self.objects) + rank(other, cells), 0 if is_set(other) else place)
            for other in vertices
            for place, one in enumerate(self.targets(other))
            if one is value
        ]
        referred += [(number, 0) for number in self.sets(value)]
        return sorted(refers) if is_set(value) else refers, sorted(referred)

    def surroundings(self, value: Any, cells: list[list[Any]], vertices: list[Any]) -> Any:
        seen, layer, layers = [value], [value], []
        while layer and len(seen) < 100:
            layers.append(sorted(rank(one, cells) for one in layer))
            near = [one for vertex in layer for one in self.targets(vertex)]
            near += [other for other in vertices for one in self.targets(other) if is_in(one, layer)]
            layer = [one for one in distinct(near) if not is_in(one, seen)]
            seen += layer
        return layers


def distinct(values: list[Any]) -> list[Any]:
    return list({id(one): one for one in values}.values())


def divided(cells: list[list[Any]], sign: Any) -> list[list[Any]]:
    """Each cell by signatures, in their order."""
    found = []
    for cell in cells:
        signed = [(sign(one), one) for one in cell]
        signatures = sorted({repr(one): one for one, _ in signed}.values())
        found += [[one for other, one in signed if other == signature] for signature in signatures]
    return found


def rank(value: Any, cells: list[list[Any]]) -> int:
    """How many stand in the cells before its own."""
    place = next(place for place, cell in enumerate(cells) if is_in(value, cell))
    return sum(map(len, cells[:place]))


def is_in(value: Any, values: list[Any]) -> bool:
    """The very object, not an equal one."""
    return any(value is one for one in values)
