"""Containers: what iteration, subscription and methods of lists, dictionaries, sets, tuples, iterators and generators give and change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coopy.validation.link.calls import Calls
from coopy.validation.link.enums import enum_members, is_enum
from coopy.validation.link.hazards import Args, of_state, type_name
from coopy.validation.link.lone import grown
from coopy.validation.link.unasked import as_keys, as_numbers
from coopy.validation.link.values import (
    ANYTHING,
    EMPTY,
    UNKNOWNS,
    Box,
    ClassValue,
    Descriptor,
    Foreign,
    ModuleValue,
    Object,
    Pack,
    Text,
)  # fmt: skip

if TYPE_CHECKING:
    from coopy.validation import summary as s
    from coopy.validation.link.machine import Context, Frame
    from coopy.validation.link.values import Value, Values

_BASES = {
    "builtins.list": "list", "builtins.dict": "dict", "builtins.set": "set", "builtins.frozenset": "frozenset", "builtins.tuple": "tuple",
    "collections.UserList": "list", "collections.UserDict": "dict", "collections.OrderedDict": "dict", "collections.defaultdict": "dict",
    "collections.Counter": "dict", "collections.deque": "deque",
}  # fmt: skip


class Containers(Calls):
    """Containers."""

    def new_box(self, frame: Frame, at: int, kind: str, items: Values = EMPTY) -> Box:
        """The container that an expression makes."""
        box = self.pool.box(kind, (frame.module, at), frame.mode, _maker(frame))
        grown(self, box)
        return self._filled(frame, box, items)

    def lone_box(self, frame: Frame, at: int, kind: str, items: Values = EMPTY) -> Box:
        """The container that an expression makes of one element."""
        return self._filled(frame, self.pool.lone_box(kind, (frame.module, at), frame.mode, _maker(frame)), items)

    def _filled(self, frame: Frame, box: Box, items: Values) -> Box:
        self.write(box.items, items)
        if frame.context.info is not None:
            self.makers[box.place] = frame.context.info
        return box

    def everything(self, box: Box) -> Values:
        """All that a container may hold, keys of a dictionary aside."""
        values = self.read(box.items)
        for cell in list(box.slots.values()):
            values |= self.read(cell)
        if not values or not values.isdisjoint(UNKNOWNS):
            values = (values - UNKNOWNS) | (self.read(box.hint) or values)
        return self._as_part(box, values or (ANYTHING if box.typed else EMPTY))

    def _as_part(self, box: Box, values: Values) -> Values:
        return values if values.isdisjoint(UNKNOWNS) else (values - UNKNOWNS) | {of_state(box)}

    def elements(self, frame: Frame, at: int, values: Values) -> Values:
        """What iteration gives, in no order."""
        out = EMPTY
        for one in values:
            out |= self._elements_of(frame, at, one)
        return self.limited(out)

    def _elements_of(self, frame: Frame, at: int, value: Value) -> Values:
        if isinstance(value, Box):
            if value.kind == "dict":
                return self._as_part(value, self.read(value.keys) | {self.pool.text(key) for key in list(value.slots)})
            return self.everything(value)
        if isinstance(value, Pack):
            out = EMPTY
            for item in value.items:
                out |= item
            return frozenset(self.pool.text(name) for name in value.names) if value.names else out
        if isinstance(value, Text) or type_name(value) == "builtins.str":
            return frozenset((self.pool.thing("builtins.str", frame.mode),))
        if isinstance(value, Object):
            return self._iterated_object(frame, at, value)
        if isinstance(value, ClassValue) and is_enum(self, value.cls):
            return enum_members(self, frame, at, value.cls)
        return frozenset((of_state(value),))

    def fields_of(self, value: Value) -> Pack | None:
        """The tuple that an object of a NamedTuple is."""
        if not isinstance(value, Object) or "typing.NamedTuple" not in self.order(value.cls):
            return None
        return self.pool.pack(tuple(self.held(value, one[0]) or ANYTHING for one in self.fields(value.cls)))

    def _iterated_object(self, frame: Frame, at: int, value: Object) -> Values:
        if (pack := self.fields_of(value)) is not None:
            return self._elements_of(frame, at, pack)
        if self.has_special(value, "__iter__"):
            out = EMPTY
            for one in self.call_special(frame, at, value, "__iter__", Args()):
                if one is value or (isinstance(one, Object) and self.has_special(one, "__next__")):
                    out |= self.call_special(frame, at, one, "__next__", Args())
                else:
                    out |= self._elements_of(frame, at, one)
            return out
        if self.has_special(value, "__getitem__"):
            return self.call_special(frame, at, value, "__getitem__", Args([frozenset((self.pool.thing("builtins.int", frame.mode),))]))
        box = self.box_of(value)
        return frozenset((of_state(value),)) if box is None else self._elements_of(frame, at, box)

    def box_of(self, value: Object) -> Box | None:
        """The container that an object of a subclass of list, dict, set, ... is."""
        for base in value.cls.foreign() if self.order(value.cls) else ():
            if kind := _BASES.get(base):
                return self.pool.box(kind, (value.cls.module, value.cls.node.at), value.mode)
        return None

    # subscription

    def item(self, frame: Frame, at: int, value: Value, index: Values, node: s.Expr | None) -> Values:
        """`value[index]`."""
        value = self.fields_of(value) or value
        if isinstance(value, Box):
            (as_keys if value.kind == "dict" else as_numbers)(self, frame, at, index)
            return self._box_item(frame, at, value, index, node)
        if isinstance(value, Pack):
            as_numbers(self, frame, at, index)
            return self._pack_item(frame, at, value, index, node)
        if isinstance(value, Object):
            if self.has_special(value, "__getitem__"):
                return self.call_special(frame, at, value, "__getitem__", Args([index]))
            missing = self.call_special(frame, at, value, "__missing__", Args([index]))
            box = self.box_of(value)
            return missing | (frozenset((of_state(value),)) if box is None else self._box_item(frame, at, box, index, node))
        if isinstance(value, ClassValue):
            if isinstance(self.member(value.cls, "__class_getitem__"), tuple):
                return self._class_item(frame, at, value, index)
            return enum_members(self, frame, at, value.cls) if is_enum(self, value.cls) else frozenset((value,))
        if isinstance(value, ModuleValue):
            texts = [one.text for one in index if isinstance(one, Text)]
            return frozenset().union(*(self.module_member(frame, value.module, one, at) for one in texts)) or ANYTHING
        if isinstance(value, Foreign):
            return frozenset((value,)) if value.name[:9] == "builtins." else ANYTHING
        if isinstance(value, Text) or type_name(value) == "builtins.str":
            as_numbers(self, frame, at, index)
            return frozenset((self.pool.thing("builtins.str", frame.mode),))
        return frozenset((of_state(value),))

    def _class_item(self, frame: Frame, at: int, value: ClassValue, index: Values) -> Values:
        out = EMPTY
        for one in self.member_values(frame, value.cls, "__class_getitem__", at):
            functions = one.parts[0] if isinstance(one, Descriptor) else frozenset((one,))
            out |= self.call_all(frame, at, functions, Args([frozenset((value,)), index]))
        return out

    def _box_item(self, frame: Frame, at: int, box: Box, index: Values, node: s.Expr | None) -> Values:
        if type(node).__name__ == "Slice":
            copy = self.new_box(frame, at, "list" if box.kind == "list" else box.kind, self.everything(box))
            return frozenset((copy,))
        if box.kind == "dict" and index and all(isinstance(one, Text) for one in index):
            out = self._as_part(box, self.read(box.items))
            for one in index:
                if isinstance(one, Text) and one.text in box.slots:
                    out |= self.read(box.slots[one.text])
            return out or self.read(box.hint)
        return self.everything(box) | self.read(box.factory)

    def _pack_item(self, frame: Frame, at: int, value: Pack, index: Values, node: s.Expr | None) -> Values:
        if value.names:
            wanted = [one.text for one in index if isinstance(one, Text)]
            found = [item for name, item in zip(value.names, value.items, strict=True) if name in wanted or not wanted]
            return frozenset().union(*found)
        position = getattr(node, "text", "") if getattr(node, "kind", "") == "int" else ""
        if position.isdigit() and int(position) < len(value.items):
            return value.items[int(position)]
        inside = self._elements_of(frame, at, value)
        if type(node).__name__ == "Slice":
            return frozenset((self.new_box(frame, at, "tuple", inside),))
        return inside

    def store_item(self, frame: Frame, at: int, value: Value, index: Values, new: Values) -> None:
        """`value[index] = new`."""
        if isinstance(value, Box):
            if value.kind in ("dict", "namespace") and index and all(isinstance(one, Text) for one in index):
                for one in index:
                    self.write(self.slot(value, one.text), new)  # type: ignore[attr-defined]
            else:
                as_keys(self, frame, at, index)
                self.write(value.items, new)
                self.write(value.keys, index)
            self.mutated(frame, at, value, "[]")
            self.puts(frame, at, value, new)
        elif isinstance(value, Object) and self.has_special(value, "__setitem__"):
            self.call_special(frame, at, value, "__setitem__", Args([index, new]))
        elif isinstance(value, Object) and (box := self.box_of(value)) is not None:
            self.store_item(frame, at, box, index, new)
        elif isinstance(value, ModuleValue):
            self.live(frame, at, f"a name of {value.module.name}")
            for text in index:
                if isinstance(text, Text):
                    self.write(self.global_cell(value.module, text.text), new)
        else:
            self.give(frame, value, [new])
            self.mutated(frame, at, value, "[]")

    def slot(self, box: Box, key: str) -> Any:
        """What a dictionary holds under a key that is written in the program."""
        if box.loose:
            self.write(box.keys, frozenset((self.pool.text(key),)))
            return box.items
        found = box.slots.get(key)
        if found is None:
            from coopy.validation.link.values import Cell

            found = box.slots[key] = Cell()
            self.growths += 1
            found.readers.update(box.items.readers)
        return found


def _maker(frame: Frame) -> Context | None:
    """The call that is told apart by its place, whose containers are too."""
    return frame.context if frame.context.site is not None else None
