"""What outlives a call: the values that attributes, globals and the variables of inner functions lead to. Asked when all is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.validation.link.values import TYPES, Bound, Box, FunctionValue, Method, Object, Pack, Partial

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from coopy.validation.link.families import Families
    from coopy.validation.link.machine import Context
    from coopy.validation.link.scopes import ClassInfo
    from coopy.validation.link.values import Cell, Value


def led_to(linker: Families, roots: Iterable[Value]) -> set[Value]:
    """Everything that values lead to, themselves included."""
    found: set[Value] = set()
    opened: set[tuple[ClassInfo, str] | Context] = set()
    stack = list(roots)
    while stack:
        one = stack.pop()
        if one not in found:
            found.add(one)
            for cell in _cells(linker, one, opened):
                stack.extend(cell.values)
            stack.extend(_parts(one))
    return found


def kept(linker: Families, more: Iterable[Cell]) -> set[Value]:
    """What is still there when all calls have returned."""
    roots = [cell for cells in linker.attributes.values() for cell in cells.values()]
    return led_to(linker, [value for cell in (*roots, *more) for value in cell.values])


def _parts(one: Value) -> Iterator[Value]:
    """The values that a value is made of."""
    if isinstance(one, Pack):
        yield from (inner for item in one.items for inner in item)
    elif isinstance(one, Partial):
        yield from (inner for values in (one.function, *one.args, *(item for _, item in one.keywords)) for inner in values)
    elif isinstance(one, Method):
        yield from (one.function, one.receiver)
    elif isinstance(one, Bound):
        yield one.receiver


def _cells(linker: Families, one: Value, opened: set[tuple[ClassInfo, str] | Context]) -> Iterator[Cell]:
    """Where it holds others; what is the same for many values is opened once."""
    if isinstance(one, Box):
        yield from (one.items, one.keys, one.hint, one.factory, *one.slots.values())
    elif isinstance(one, Object):
        modes = (one.mode, TYPES)  # what only a seeded object has been seen to hold counts, too
        for key in [(one.cls, mode) for mode in modes] if not one.open else [key for key in linker.attributes if key[1] in modes]:
            if key not in opened and linker.covers(one.cls, key[0]):
                opened.add(key)
                yield from linker.attributes.get(key, {}).values()
                for box in linker.pool.boxes_at((key[0].module, key[0].node.at), key[1]):  # what it is as a container, and its __dict__
                    yield from (box.items, box.keys, *box.slots.values())
    elif isinstance(one, FunctionValue) and one.parent is not None and one.parent not in opened:
        opened.add(one.parent)
        yield from one.parent.variables.values()
