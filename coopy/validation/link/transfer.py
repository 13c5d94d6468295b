"""Arguments that one analysis has seen, as another one would: what a program passes to its domain where it opens the system."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.validation.link.hazards import Args
from coopy.validation.link.values import (
    ACTION,
    UNKNOWN,
    Box,
    ClassValue,
    Constant,
    Foreign,
    FunctionValue,
    Method,
    Object,
    Pack,
    Partial,
    Text,
    Thing,
)

if TYPE_CHECKING:
    from coopy.validation.link.interpret import Interpreter
    from coopy.validation.link.machine import Frame
    from coopy.validation.link.values import Value, Values

MAX_LEVELS = 4  # of containers in containers


class Transfer:
    """Makes the values of another analysis anew; what only that one can know is unknown."""

    def __init__(self, to: Interpreter, frame: Frame) -> None:
        self.to, self.pool, self.frame = to, to.pool, frame

    def args(self, args: Args) -> Args:
        """The arguments of a call."""
        positional = [self.values(one) for one in args.positional]
        keywords = {name: self.values(one) for name, one in args.keywords.items()}
        return Args(positional, keywords, open_=args.open)

    def values(self, values: Values, level: int = 0) -> Values:
        """A set of values."""
        return frozenset(self._value(one, level) for one in values)

    def _value(self, one: Value, level: int) -> Value:
        if isinstance(one, Constant):
            return one
        if isinstance(one, Text):
            return self.pool.text(one.text)
        if isinstance(one, Foreign):
            return self.pool.foreign(one.name, one.place)
        if isinstance(one, Thing):
            return self.pool.thing(one.type, ACTION, one.note)
        if isinstance(one, ClassValue):
            return self.pool.cls(one.cls, one.open)
        if isinstance(one, Object):
            return self.pool.object(one.cls, ACTION, one.open)
        if isinstance(one, FunctionValue) and one.parent is None:
            return self.pool.function(one.info, None)
        return self._compound(one, level + 1) if level < MAX_LEVELS else UNKNOWN

    def _compound(self, one: Value, level: int) -> Value:
        if isinstance(one, Method):
            return self.pool.method(self._value(one.function, level), self._value(one.receiver, level))
        if isinstance(one, Partial):
            keywords = tuple((name, self.values(inner, level)) for name, inner in one.keywords)
            return self.pool.partial(self.values(one.function, level), tuple(self.values(inner, level) for inner in one.args), keywords)
        if isinstance(one, Pack):
            return self.pool.pack(tuple(self.values(inner, level) for inner in one.items), one.names)
        if isinstance(one, Box):
            return self._box(one, level)
        return UNKNOWN

    def _box(self, one: Box, level: int) -> Box:
        copy = self.pool.box(one.kind, one.place, ACTION)
        self.to.write(copy.items, self.values(one.items.values, level))
        self.to.write(copy.keys, self.values(one.keys.values, level))
        for key, cell in one.slots.items():
            self.to.write(self.to.slot(copy, key), self.values(cell.values, level))
        return copy
