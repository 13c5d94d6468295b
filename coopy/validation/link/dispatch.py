"""Members of large families: looked up, and called, once for all who ask, instead of once for each class at each place.

A hub stands in the graph of calls between the places that read or call a member of a family and the functions that it may be. What is
passed at any place is passed to all of them, and what any of them returns is returned everywhere: a large hierarchy costs as much as it has
methods, not as much as that times the places where they are called. No step of a path is shown for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.validation.link.attributes import MANY
from coopy.validation.link.hazards import Args
from coopy.validation.link.machine import Context, Frame
from coopy.validation.link.order import Order
from coopy.validation.link.values import EMPTY, Cell, FunctionValue, Method, Virtual

if TYPE_CHECKING:
    from coopy.validation.link.values import ClassValue, Object, Values


class Dispatch(Order):
    """Hubs."""

    def family_member(self, frame: Frame, at: int, value: Object | ClassValue, name: str, *, special: bool) -> Values:
        """A member of a family, as its attribute or, if it is `special`, as Python looks it up in the class."""
        key = ("member", value, name, special, frame.mode)
        hub = self.hubs.get(key)
        if hub is None:
            hub = self.hubs[key] = self._hub(frame.mode, value, lambda context: self._look_up(context, value, name, special=special))
        return self._pass(frame, at, hub)

    def _look_up(self, hub: Context, value: Object | ClassValue, name: str, *, special: bool) -> None:
        found = self.each_member(Frame(hub), hub.at, value, name, special=special)
        methods = frozenset(one for one in found if _is_plain(one))
        if len(methods) > MANY:
            found = (found - methods) | {self.pool.virtual(value, name, special=special)}
        self.write(hub.returned, found)

    def call_virtual(self, frame: Frame, at: int, callee: Virtual, args: Args) -> Values:
        """A call of whichever method of a family has a name."""
        key = ("call", callee, frame.mode, len(args.positional), *args.keywords, args.star is None, args.open)
        hub = self.hubs.get(key)
        if hub is None:
            hub = self.hubs[key] = self._hub(frame.mode, callee.receiver, lambda context: self._call_each(context, callee, args))
            hub.joined = {name: Cell() for name in (*map(str, range(len(args.positional))), *args.keywords, "*")}
        assert hub.joined is not None
        for name, values in (*enumerate(args.positional), *args.keywords.items(), ("*", args.star or EMPTY)):
            self.write(hub.joined[str(name)], values)
        return self._pass(frame, at, hub)

    def _call_each(self, hub: Context, callee: Virtual, shape: Args) -> None:
        assert hub.joined is not None
        values = {name: self.read(cell) for name, cell in hub.joined.items()}
        positional = [values[str(index)] for index in range(len(shape.positional))]
        star = None if shape.star is None else values["*"]
        args = Args(positional, {name: values[name] for name in shape.keywords}, star=star, open_=shape.open)
        frame = Frame(hub)
        for one in self.each_member(frame, hub.at, callee.receiver, callee.name, special=callee.special):
            if _is_plain(one):
                self.write(hub.returned, self.call(frame, hub.at, one, args))

    def _hub(self, mode: str, value: Object | ClassValue, run: object) -> Context:
        hub = Context(value.cls.module, mode, value.cls.node.at, run)  # type: ignore[arg-type]
        hub.cls, hub.hub = value.cls, True
        return hub

    def _pass(self, frame: Frame, at: int, hub: Context) -> Values:
        self.called(frame, hub, at)
        self.demand(hub)
        frame.direct = False
        if hub.orders:
            self.called_in_loop(frame, hub)
        return self.read(hub.returned)


def _is_plain(value: object) -> bool:
    return isinstance(value, Method) and isinstance(value.function, FunctionValue)
