"""Attributes assigned: `value.name = new`, by the kind of value; properties and descriptors are calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coopy.validation.link.attributes import Attributes
from coopy.validation.link.hazards import Args
from coopy.validation.link.values import IMPORT, Box, ClassValue, Descriptor, FunctionValue, ModuleValue, Object, Thing, Unknown

if TYPE_CHECKING:
    from coopy.validation.link.machine import Frame
    from coopy.validation.link.values import Value, Values


class Setting(Attributes):
    """Assignment of attributes."""

    def assign_attribute(self, frame: Frame, at: int, value: Value, name: str, new: Values) -> None:
        """`value.name = new`."""
        new = self.kept(new)
        if isinstance(value, Object):
            found = self.member(value.cls, name)
            if isinstance(found, tuple) and self._set_by_descriptor(frame, at, value, name, new):
                return
            if self.has_special(value, "__setattr__"):
                self.call_special(frame, at, value, "__setattr__", Args([frozenset((self.pool.text(name),)), new]))
            self.write(self.attribute_cell(value.cls, value.mode, name), new)
            self.mutated(frame, at, value, name)
            self.keeps(frame, at, value, name, new)
        elif isinstance(value, ClassValue):
            self.write(self.attribute_cell(value.cls.real, "class", name), new)
            self.live(frame, at, f"{value.cls.qualname}.{name}")
        elif isinstance(value, ModuleValue):
            self.write(self.global_cell(value.module, name), new)
            self.live(frame, at, f"{value.module.name}.{name}")
        elif isinstance(value, FunctionValue):
            self.write(self.variable_of(value, name), new)
            if value.parent is None or value.parent.mode == IMPORT:
                self.live(frame, at, f"{value.info.qualname}.{name}")
        elif isinstance(value, (Thing, Unknown)):
            self.give(frame, value, [new])
            self.mutated(frame, at, value, name)
        elif isinstance(value, Box) and value.kind == "namespace":
            self.store_item(frame, at, value, frozenset((self.pool.text(name),)), new)

    def store_item(self, frame: Frame, at: int, value: Value, index: Values, new: Values) -> None:
        """`value[index] = new`."""
        raise NotImplementedError

    def _set_by_descriptor(self, frame: Frame, at: int, value: Object, name: str, new: Values) -> bool:
        done = False
        for one in self.member_values(frame, value.cls, name, at):
            if isinstance(one, Descriptor) and one.kind == "property" and len(one.parts) > 1:
                self.call_all(frame, at, one.parts[1], Args([frozenset((value,)), new]))
                done = True
            elif isinstance(one, Object) and self.has_special(one, "__set__"):
                self.call_special(frame, at, one, "__set__", Args([frozenset((value,)), new]))
                done = True
        return done

    def global_cell(self, module: Any, name: str) -> Any:
        """What functions assign to a name of a module."""
        key = (module, name)
        if key not in self.globals:
            from coopy.validation.link.values import Cell

            self.globals[key] = Cell()
        return self.globals[key]
