"""Patterns of `case`: what of a value can match, and the names that are bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.validation import summary as s
from coopy.validation.link.narrow import Narrowing
from coopy.validation.link.unasked import ask_classes, compare
from coopy.validation.link.values import ANYTHING, EMPTY, Object, Pack

if TYPE_CHECKING:
    from coopy.validation.link.machine import Frame
    from coopy.validation.link.scopes import ClassInfo
    from coopy.validation.link.values import Values


class Patterns(Narrowing):
    """Patterns."""

    def match_pattern(self, frame: Frame, at: int, pattern: s.Pattern, values: Values, path: str = "") -> Values:
        """Bind the names of a pattern; what of the values can match it."""
        if pattern.kind == "class" and pattern.value is not None:
            kinds = self.peek(frame, pattern.value)
            ask_classes(self, frame, at, kinds, "__instancecheck__", values)
            values = self.of_kinds(frame, at, values, list(kinds))
            if path and frame.env is not None:
                frame.env[path] = values
            for index, part in enumerate(pattern.parts):
                name = self._matched(values, pattern, index)
                inner = frozenset().union(*(self.attribute(frame, at, one, name) for one in values)) if name else values
                self.match_pattern(frame, at, part, inner)
            return values
        if pattern.kind == "value" and pattern.value is not None:
            compare(self, frame, at, "eq", values, self.peek(frame, pattern.value))
        if pattern.kind in ("capture", "or") and pattern.parts:
            values = frozenset().union(*(self.match_pattern(frame, at, part, values, path) for part in pattern.parts))
            if pattern.name:
                self.set_name(frame, pattern.name, values)
            return values
        inside = self.elements(frame, at, values) if pattern.kind in ("sequence", "mapping") else values
        if pattern.kind == "mapping":
            inside = frozenset().union(*(self.item(frame, at, one, ANYTHING, None) for one in values)) if values else EMPTY
        for index, part in enumerate(pattern.parts):
            exact = (
                [one.items[index] for one in values if isinstance(one, Pack) and index < len(one.items)]
                if pattern.kind == "sequence"
                else []
            )
            self.match_pattern(frame, at, part, frozenset().union(*exact) if exact else inside)
        if pattern.name:
            self.set_name(frame, pattern.name, values)
        return values

    def _matched(self, values: Values, pattern: s.Pattern, index: int) -> str:
        """The attribute that a part of a class pattern takes."""
        positional = len(pattern.parts) - len(pattern.names)
        if index >= positional:
            return pattern.names[index - positional]
        for one in values:
            if isinstance(one, Object) and index < len(names := self._match_args(one.cls)):
                return names[index]
            if isinstance(one, Object) and index < len(fields := self.fields(one.cls)):
                return str(fields[index][0])
        return ""

    def _match_args(self, cls: ClassInfo) -> list[str]:
        """What a class says its positions are."""
        found = self.member(cls, "__match_args__")
        value = getattr(found[1][-1].statement, "value", None) if isinstance(found, tuple) else None
        return [one.text for one in value.items if isinstance(one, s.Const)] if isinstance(value, s.Display) else []
