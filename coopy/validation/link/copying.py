"""Copies: of containers, of objects by their own methods or attribute by attribute, and with fields replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from coopy.validation.link.collecting import Collecting
from coopy.validation.link.hazards import Args
from coopy.validation.link.values import ANYTHING, EMPTY, UNKNOWN, Box, Object, Unknown

if TYPE_CHECKING:
    from coopy.validation.link.machine import Frame
    from coopy.validation.link.values import Value, Values

MAX_COPIES = 4  # levels of a deep copy
Copies: TypeAlias = "dict[tuple[Values, int], tuple[Values, int]]"  # by values and depth: their copy, and after how many growths


class Copying(Collecting):
    """Copies."""

    def _replaced(self, frame: Frame, at: int, _name: str, args: Args) -> Values:
        """dataclasses.replace: the fields that are named, and __post_init__."""
        given = args.positional[0] if args.positional else EMPTY
        out = EMPTY
        for one in given:
            if isinstance(one, Object):
                copy = self.pool.object(one.cls, frame.mode)
                for name, values in args.keywords.items():
                    self.write(self.attribute_cell(one.cls, frame.mode, name), values)
                self.call_special(frame, at, copy, "__post_init__", Args())
                out |= {copy}
        return out or given

    def _copied(self, frame: Frame, at: int, name: str, args: Args) -> Values:
        out = EMPTY
        for one in args.positional[0] if args.positional else EMPTY:
            special = "__copy__" if name == "copy.copy" else "__deepcopy__"
            if self.has_special(one, special):
                out |= self.call_special(frame, at, one, special, Args([ANYTHING]))
            elif name == "copy.copy":
                out |= {self.copied(frame, at, one) if isinstance(one, Box) else one}
            else:
                out |= self._deep(frame, at, frozenset((one,)), 0, {})
        return out

    def _deep(self, frame: Frame, at: int, values: Values, depth: int, done: Copies) -> Values:
        """A deep copy: containers are new ones, objects belong to whom the copying code belongs. What `done` holds is not made again."""
        known = done.get((values, depth))
        if known is not None and known[1] == self.growths:
            return known[0]
        before = self.growths
        out: set[Value] = set()
        for one in values:
            if isinstance(one, Box) and depth < MAX_COPIES:
                copy = self.new_box(frame, at + depth, one.kind, self._deep(frame, at, self.read(one.items), depth + 1, done))
                self.write(copy.keys, self.read(one.keys))
                for key, cell in list(one.slots.items()):
                    self.write(self.slot(copy, key), self._deep(frame, at, self.read(cell), depth + 1, done))
                out.add(copy)
            elif self.has_special(one, "__deepcopy__"):
                out |= self.call_special(frame, at, one, "__deepcopy__", Args([ANYTHING]))
            elif isinstance(one, Object) and one.mode != frame.mode and depth < MAX_COPIES:
                for name, cell in list(self.attributes.get((one.cls, one.mode), {}).items()):
                    self.write(self.attribute_cell(one.cls, frame.mode, name), self._deep(frame, at, self.read(cell), depth + 1, done))
                out.add(self.pool.object(one.cls, frame.mode, one.open))
            else:
                out.add(UNKNOWN if isinstance(one, Unknown) else one)
        copied = frozenset(out)
        if self.growths == before:  # else what was copied first may lack what was written since
            done[values, depth] = copied, before
        return copied
