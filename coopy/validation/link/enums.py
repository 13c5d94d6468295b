"""Enumerations: their objects are those that the class body names, made when it is run; `__init__` and `value` get what is written there.

The members of one enumeration are one object here, as the objects of any class are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.validation import summary as s
from coopy.validation.link.hazards import Args
from coopy.validation.link.machine import Context, Frame
from coopy.validation.link.values import EMPTY, IMPORT, FunctionValue, Pack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coopy.validation.link.attributes import Attributes
    from coopy.validation.link.scopes import ClassInfo
    from coopy.validation.link.values import Value, Values

_ENUMS = frozenset(("enum.Enum", "enum.IntEnum", "enum.StrEnum", "enum.Flag", "enum.IntFlag"))


def is_enum(linker: Attributes, cls: ClassInfo) -> bool:
    """Whether its objects are those that its body names."""
    return any(one in _ENUMS for one in linker.order(cls))


def enum_members(linker: Attributes, frame: Frame, at: int, cls: ClassInfo) -> Values:
    """Any member of an enumeration, made before."""
    key = (cls, "members")
    context = linker.statements.get(key)
    if context is None:
        context = Context(cls.module, IMPORT, cls.node.at, lambda one: _make(linker, one, cls))
        context.cls, context.before, context.parent = cls, cls.node.at, cls.parent
        linker.statements[key] = context
    linker.demand(context)
    linker.called(frame, context, at)
    return frozenset((linker.pool.object(cls, IMPORT),))


def _make(linker: Attributes, context: Context, cls: ClassInfo) -> None:
    frame, member = Frame(context), linker.pool.object(cls, IMPORT)
    value = linker.attribute_cell(cls, IMPORT, "value")
    for written in _written(linker, frame, cls):
        linker.write(value, frozenset((written,)))
        items = list(written.items) if isinstance(written, Pack) else [frozenset((written,))]
        if isinstance(linker.member(cls, "__new__"), tuple):
            made: Values = frozenset((linker.pool.made_class(cls),))
            linker.call_all(frame, context.at, linker.member_values(frame, cls, "__new__", context.at), Args([made, *items]))
        linker.call_special(frame, context.at, member, "__init__", Args(items))


def _written(linker: Attributes, frame: Frame, cls: ClassInfo) -> Iterator[Value]:
    """What the body assigns to names that become members: functions become methods."""
    for one in cls.node.body:
        for target in one.targets if isinstance(one, s.Assign) and one.value is not None else ():
            if isinstance(target, s.Name) and not target.name.startswith("_"):
                values = linker.member_values(frame, cls, target.name, target.at) or EMPTY
                yield from (value for value in values if not isinstance(value, FunctionValue))
