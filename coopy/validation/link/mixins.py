"""Methods that abstract containers of collections.abc give a class of the program: they call the few that it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.validation.link.boxes import Boxes
from coopy.validation.link.hazards import Args
from coopy.validation.link.values import ANYTHING, EMPTY, Object

if TYPE_CHECKING:
    from coopy.validation.link.machine import Frame
    from coopy.validation.link.values import Values

_CALLS = {
    "get": ("__getitem__",), "items": ("__iter__", "__getitem__"), "values": ("__iter__", "__getitem__"), "keys": ("__iter__",),
    "pop": ("__getitem__", "__delitem__"), "popitem": ("__iter__", "__getitem__", "__delitem__"), "clear": ("__iter__", "__delitem__"),
    "update": ("__setitem__",), "setdefault": ("__getitem__", "__setitem__"), "append": ("insert",), "extend": ("insert",),
    "index": ("__getitem__",), "count": ("__getitem__",), "remove": ("__getitem__", "__delitem__", "discard"),
    "reverse": ("__getitem__", "__setitem__"), "isdisjoint": ("__iter__", "__contains__"), "__contains__": ("__getitem__", "__iter__"),
}  # fmt: skip
_GIVES_ITEM = frozenset(("get", "pop", "setdefault", "values"))


class Mixins(Boxes):
    """Methods of abstract containers."""

    def abstract_method(self, frame: Frame, at: int, receiver: Object, name: str, args: Args) -> Values | None:
        """What such a method gives; None if it is none."""
        if name not in _CALLS or not any(one.startswith(("collections.abc.", "typing.")) for one in receiver.cls.foreign()):
            return None
        given = {one: self.call_special(frame, at, receiver, one, self._passed_on(one, args)) for one in _CALLS[name]}
        item = given.get("__getitem__", EMPTY)
        if name == "items":
            keys = self.elements(frame, at, given["__iter__"])
            return self._sequence(frame, at, frozenset((self.pool.pack((keys or ANYTHING, item or ANYTHING)),)))
        if name in ("values", "keys"):
            return self._sequence(frame, at, item if name == "values" else self.elements(frame, at, given["__iter__"]))
        return (item | (args.get(1, "default") or EMPTY) if name in _GIVES_ITEM else EMPTY) or ANYTHING

    def _sequence(self, frame: Frame, at: int, items: Values) -> Values:
        return frozenset((self.new_box(frame, at, "iterator", items),))

    def _passed_on(self, special: str, args: Args) -> Args:
        if special == "__iter__":
            return Args()
        if special in ("insert", "__setitem__"):
            return Args([ANYTHING, args.positional[-1] if args.positional else ANYTHING])
        return Args([args.positional[0] if args.positional else ANYTHING])
