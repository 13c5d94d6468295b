"""Assignments: to names, attributes, items and several targets at once; attributes deleted; what an annotation adds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.validation import summary as s
from coopy.validation.link.evaluate import path_of
from coopy.validation.link.guards import reads
from coopy.validation.link.hazards import Args
from coopy.validation.link.patterns import Patterns
from coopy.validation.link.values import EMPTY, IMPORT, Box, Descriptor, Object, Pack, Unknown

if TYPE_CHECKING:
    from coopy.validation.link.machine import Frame
    from coopy.validation.link.values import Value, Values


class Assigning(Patterns):
    """Assignments."""

    def _annotate(self, frame: Frame, values: Values, annotation: s.Expr) -> Values:
        """An annotated assignment: the annotation says of what an empty container is."""
        scratch = self.scratch(frame.module, frame.cls, frame.context if frame.context.info else frame.context.parent, annotation.at)
        scratch.mode = frame.mode
        known = self.annotated(scratch, annotation)
        for one in values:
            for other in known:
                if isinstance(one, Box) and isinstance(other, Box):
                    self.write(one.hint, self.read(other.hint))
                    self.write(one.keys, self.read(other.keys))
        if known and (not values or all(isinstance(one, Unknown) for one in values)):
            return known
        return values

    def assign(self, frame: Frame, target: s.Expr, values: Values, node: s.Expr | None) -> None:
        """Assign values to a target; `node` is how they are written."""
        if isinstance(target, s.Name):
            self.set_name(frame, target.name, values)
        elif isinstance(target, s.Attribute):
            self.used(frame, values)
            self._assign_attribute(frame, target, values, node)
        elif isinstance(target, s.Subscript):
            self.used(frame, values)
            receivers, index = self.receiver(frame, target.value), self.peek(frame, target.index)
            self.stored_in_loop(frame, target.index, node)
            for one in receivers:
                if isinstance(target.index, s.Slice) and isinstance(one, Box):
                    self.call_box(frame, target.at, one, "extend", Args([values]))
                    continue
                if not (isinstance(one, Box) and not one.filling and reads(node, target)):
                    self.keyed_effect(frame, one, target.index)
                self.store_item(frame, target.at, one, index, values)
        elif isinstance(target, s.Display):
            self._unpack(frame, target, values)
        elif isinstance(target, s.Star):
            self.assign(frame, target.value, frozenset((self.new_box(frame, target.at, "list", values),)), node)

    def _assign_attribute(self, frame: Frame, target: s.Attribute, values: Values, node: s.Expr | None) -> None:
        receivers = self.receiver(frame, target.value)
        self.stored_in_loop(frame, None, node)
        for one in receivers:
            self.assign_attribute(frame, target.at, one, target.name, values)
        path = path_of(target)
        if path and frame.env is not None:
            _forget(frame.env, path)
            if not any(self._is_descriptor(one, target.name) for one in receivers):
                frame.env[path] = self.kept(values)

    def _is_descriptor(self, value: Value, name: str) -> bool:
        return not isinstance(value, Object) or isinstance(self.member(value.cls, name), tuple)

    def _unpack(self, frame: Frame, target: s.Display, values: Values) -> None:
        starred = next((index for index, one in enumerate(target.items) if isinstance(one, s.Star)), None)
        if len(target.items) > 1 and (place := self.shown_at(frame, target.at, values)) is not None:
            self.escapes(frame, place)
        for index, one in enumerate(target.items):
            out = EMPTY
            for value in (self.fields_of(other) or other for other in values):
                if isinstance(value, Pack) and not value.names and (starred is None or index < starred):
                    out |= value.items[index] if index < len(value.items) else EMPTY
                else:
                    out |= self._elements_of(frame, target.at, value)
            self.assign(frame, one, out, None)

    def delete_attribute(self, frame: Frame, at: int, value: Value, name: str) -> None:
        """`del value.name`."""
        deleters = EMPTY
        if isinstance(value, Object) and isinstance(self.member(value.cls, name), tuple):
            for one in self.member_values(frame, value.cls, name, at):
                if isinstance(one, Descriptor) and one.kind == "property":
                    for part in one.parts[2:]:
                        deleters |= part
                elif isinstance(one, Object) and self.has_special(one, "__delete__"):
                    self.call_special(frame, at, one, "__delete__", Args([frozenset((value,))]))
        if deleters:
            self.call_all(frame, at, deleters, Args([frozenset((value,))]))
        elif isinstance(value, Object) and self.has_special(value, "__delattr__"):
            self.call_special(frame, at, value, "__delattr__", Args([frozenset((self.pool.text(name),))]))
        else:
            self.mutated(frame, at, value, name)

    def set_name(self, frame: Frame, name: str, values: Values) -> None:
        """Assign a name."""
        if frame.env is None:
            return
        declared = frame.outer.get(name)
        if declared == "global":
            self.write(self.global_cell(frame.module, name), self.kept(values))
            return
        if declared == "nonlocal":
            cell = self._enclosing(frame.context, name)
            if cell is not None:
                self.write(cell, values)
            return
        _forget(frame.env, name)
        values = self.limited(values)
        frame.env[name] = values
        if frame.nests:
            self.write(frame.context.variable(name), values)

    def _declared(self, frame: Frame, target: s.Expr) -> None:
        """`global name` and an assignment to it; `nonlocal name` too, if it belongs to a call that was made at import."""
        if isinstance(target, s.Name):
            declared = frame.outer.get(target.name)
            owner = self.owner_of(frame.context, target.name) if declared == "nonlocal" else None
            if declared == "global" or (owner is not None and owner.mode == IMPORT):
                self.live(frame, target.at, target.name)
        elif isinstance(target, s.Display):
            for one in target.items:
                self._declared(frame, one)


def _forget(env: dict[str, Values], path: str) -> None:
    """What was known of attributes of a name that is assigned."""
    prefix = f"{path}."
    for key in [key for key in env if key.startswith(prefix)]:
        del env[key]
