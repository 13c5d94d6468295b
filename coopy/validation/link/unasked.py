"""What Python calls of objects unasked: where they are keys, are searched for, stand for a number, or are classes that are asked for their instances."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.validation.link.hazards import Args
from coopy.validation.link.metaclasses import of_metaclasses
from coopy.validation.link.values import EMPTY, ClassValue, Descriptor, Object, Pack

if TYPE_CHECKING:
    from coopy.validation.link.containers import Containers
    from coopy.validation.link.machine import Frame
    from coopy.validation.link.values import Values

_NESTED = 2  # tuples in tuples, as keys
_MIRRORED = {"lt": "gt", "gt": "lt", "le": "ge", "ge": "le"}


def as_keys(linker: Containers, frame: Frame, at: int, values: Values, depth: int = 0) -> None:
    """Objects are keys of a dictionary or elements of a set, or are looked up there."""
    for one in values:
        if type(one) is Object:
            if linker.has_special(one, "__hash__"):
                linker.call_special(frame, at, one, "__hash__", Args())
                linker.call_special(frame, at, one, "__eq__", Args([values]))
        elif type(one) is Pack and depth < _NESTED:
            for item in one.items:
                as_keys(linker, frame, at, item, depth + 1)


def compare(linker: Containers, frame: Frame, at: int, op: str, left: Values, right: Values) -> None:
    """`left op right`, of objects, and of what tuples have inside."""
    for one in left:
        if type(one) is Object:
            name = f"__{op}__" if op != "ne" or linker.has_special(one, "__ne__") else "__eq__"
            linker.call_special(frame, at, one, name, Args([right]))
    mirrored = _MIRRORED.get(op, "eq")
    for one in right:
        if type(one) is Object and not any(linker.has_special(other, f"__{op}__") for other in left):
            linker.call_special(frame, at, one, f"__{mirrored}__", Args([left]))
    if (inside := _in_tuples(left)) and (within := _in_tuples(right)):
        for each in dict.fromkeys((op, "eq")):  # they are compared where all before them are equal
            compare(linker, frame, at, each, inside, within)


def _in_tuples(values: Values) -> Values:
    """The objects in tuples."""
    return frozenset(inner for one in values if type(one) is Pack for item in one.items for inner in item if type(inner) is Object)


def as_numbers(linker: Containers, frame: Frame, at: int, values: Values) -> None:
    """Objects are indices."""
    for one in values:
        if type(one) is Object:
            linker.call_special(frame, at, one, "__index__", Args())


def hashed_by_itself(linker: Containers, values: Values) -> bool:
    """Whether all of these are objects whose own `__hash__` says what `hash()` gives: it is followed instead."""
    return bool(values) and all(linker.has_special(one, "__hash__") for one in values)


def ask_classes(linker: Containers, frame: Frame, at: int, kinds: Values, special: str, asked: Values) -> None:
    """`isinstance` and `issubclass`: a metaclass may answer, or the class itself what it takes for a subclass."""
    for one in kinds:
        if isinstance(one, Pack):
            for item in one.items:
                ask_classes(linker, frame, at, item, special, asked)
        elif isinstance(one, ClassValue):
            linker.call_all(frame, at, of_metaclasses(linker, frame, at, one, special), Args([asked]))
            if isinstance(linker.member(one.cls, "__subclasshook__"), tuple):
                _ask_hook(linker, frame, at, one)


def _ask_hook(linker: Containers, frame: Frame, at: int, value: ClassValue) -> None:
    for one in linker.member_values(frame, value.cls, "__subclasshook__", at):
        functions: Values = one.parts[0] if isinstance(one, Descriptor) else EMPTY
        linker.call_all(frame, at, functions, Args([frozenset((value,))], open_=True))
