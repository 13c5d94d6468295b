"""`value[index]`: what it gives, the order that it shows, the key that it may put into a defaultdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.kinds import CHANGING
from coopy.validation import summary as s
from coopy.validation.link.guards import is_there
from coopy.validation.link.operators import Operators
from coopy.validation.link.values import ANYTHING, EMPTY, QUERY, Box, Foreign

if TYPE_CHECKING:
    from coopy.validation.link.machine import Frame
    from coopy.validation.link.values import Values


class Subscripts(Operators):
    """Subscription."""

    def attribute_values(self, frame: Frame, node: s.Attribute) -> Values:
        """The values of an attribute, of which nothing is taken yet."""
        raise NotImplementedError

    def receiver(self, frame: Frame, node: s.Expr) -> Values:
        """What an attribute or item is read from."""
        raise NotImplementedError

    def subscript(self, frame: Frame, node: s.Subscript) -> Values:
        if getattr(node.value, "name", "") == "modules" and (found := self._loaded(frame, node)):
            return found
        values, index = self.receiver(frame, node.value), self.peek(frame, node.index)
        self.used(frame, frozenset(one for one in values if not (isinstance(one, Box) and one.kind == "dict")))
        if self.ordered_by_hash(values) and (place := self.shown_at(frame, node.at, values)) is not None:
            self.escapes(frame, place)
        out = EMPTY
        for one in values:
            if isinstance(one, Box) and one.filling and frame.mode == QUERY and not self._is_there(frame, node):
                self.mutated(frame, node.at, one, "[]")
            out |= self.item(frame, node.at, one, index, node.index)
        return out

    def _loaded(self, frame: Frame, node: s.Subscript) -> Values:
        """`sys.modules[__name__]`: a module of the program."""
        head = node.value
        if isinstance(head, s.Attribute):
            values = self.attribute_values(frame, head)
        else:
            values = self.lookup(frame, head.name, head.at) if isinstance(head, s.Name) else EMPTY
        if not any(isinstance(one, Foreign) and one.name == "sys.modules" for one in values):
            return EMPTY
        return self.modules_named(frame, self.peek(frame, node.index))

    def _is_there(self, frame: Frame, node: s.Subscript) -> bool:
        """Whether a key is certainly in a defaultdict, into which reading it would put it."""
        return frame.context.info is not None and is_there(frame.context.info.body, node)

    def fill(self, frame: Frame, node: s.Attribute) -> None:
        """`groups[key].add(one)` in a loop over a set: a key that is new in a defaultdict goes to the end."""
        if node.name in CHANGING and isinstance(inner := node.value, s.Subscript):
            for one in self.receiver(frame, inner.value):
                if isinstance(one, Box) and one.filling and not self._is_there(frame, inner):
                    self.keyed_effect(frame, one, inner.index)

    def slice(self, frame: Frame, node: s.Slice) -> Values:
        for one in node.parts:
            self.eval(frame, one)
        return ANYTHING
