"""Members that a class has from its metaclass, of which it is an object: methods are bound to the class, properties are asked for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.validation.link.hazards import Args
from coopy.validation.link.values import EMPTY, Descriptor, FunctionValue

if TYPE_CHECKING:
    from coopy.validation.link.attributes import Attributes
    from coopy.validation.link.machine import Frame
    from coopy.validation.link.scopes import ClassInfo
    from coopy.validation.link.values import ClassValue, Value, Values


def of_metaclasses(linker: Attributes, frame: Frame, at: int, value: ClassValue, name: str) -> Values:
    """A member of the first metaclass that has it; nothing if none does."""
    for meta in linker.metaclasses(value.cls):
        values = EMPTY
        for one in linker.member_values(frame, meta, name, at):
            values |= _bound(linker, frame, at, one, meta, value)
        if values:
            return values
    return EMPTY


def _bound(linker: Attributes, frame: Frame, at: int, one: Value, meta: ClassInfo, value: ClassValue) -> Values:
    if isinstance(one, FunctionValue):
        return frozenset((linker.pool.method(one, value),))
    if isinstance(one, Descriptor) and one.kind == "property":
        return linker.call_all(frame, at, one.parts[0], Args([frozenset((value,))]))
    return linker.bound_to(frame, at, one, meta, linker.pool.cls(meta))
