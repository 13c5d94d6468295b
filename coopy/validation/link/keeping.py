"""What is kept in attributes and must not be: what no snapshot can hold, and the clock and random numbers that coopy gives.

Objects and containers are judged at the end, when it is known whether an attribute of the domain leads to them. The
injected names are judged where they are read or assigned: only the domain object itself has them, after it was made, if its class has room.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from coopy.kinds import INJECTED, UNPICKLABLE, WHILE_READ
from coopy.validation.link.families import whole_of
from coopy.validation.link.hazards import Hazards
from coopy.validation.link.lasting import led_to
from coopy.validation.link.machine import Fact
from coopy.validation.link.values import (
    ACTION,
    IMPORT,
    QUERY,
    STATE,
    TYPES,
    Box,
    Foreign,
    FunctionValue,
    ModuleValue,
    Object,
    Thing,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coopy.catalogue import Catalogue
    from coopy.validation import summary as s
    from coopy.validation.link.machine import Context, Frame
    from coopy.validation.link.scopes import ClassInfo, FunctionInfo, Program
    from coopy.validation.link.values import Place, Value, Values

MODULES = {name: kind.rpartition(".")[0] for name, kind in INJECTED.items()}  # the ones that say the same everywhere
_PICKLING = ("__getstate__", "__reduce__", "__reduce_ex__")


class Keeping(Hazards):
    """What attributes keep."""

    def __init__(self, program: Program, catalogue: Catalogue) -> None:
        super().__init__(program, catalogue)
        self.put: dict[tuple[Box | Object, Context, Place], dict[str, None]] = {}
        self.given: dict[Value, None] = {}  # to what nothing is known of: it may be kept there
        self.makers: dict[Place, FunctionInfo] = {}  # the functions that make the containers of places
        self.injected_reads: dict[Context, dict[Place, str]] = {}
        self.recorded_calls: dict[Context, dict[Place, str]] = {}  # of what gives an action its recorded values

    # what must not be changed

    def mutated(self, frame: Frame, at: int, value: Value, what: str) -> None:
        """A value changes: in a query, state must not; in an action, nothing that no snapshot holds."""
        if frame.mode == QUERY:
            if self._is_state(value):
                self.fact(frame, Fact("readonly-mutation", (frame.module, at), what))
        elif frame.mode == ACTION:
            frame.context.changes = True
            if isinstance(value, Box) and value.default:
                self.fact(frame, Fact("default-mutable", (frame.module, at), what))
            elif isinstance(value, (Box, Object, Thing)) and value.mode == IMPORT:
                self.live(frame, at, what)

    def _is_state(self, value: Value) -> bool:
        if isinstance(value, (Object, Thing)):
            return value.mode in (ACTION, TYPES)
        if isinstance(value, Box):
            return value.mode in (ACTION, TYPES) and value.kind not in ("iterator", "generator", "tuple", "frozenset")
        return value is STATE

    def live(self, frame: Frame, at: int, what: str) -> None:
        """An action changes something of a module or class."""
        if frame.mode == ACTION:
            self.fact(frame, Fact("live-global", (frame.module, at), what))

    # attributes and containers

    def keeps(self, frame: Frame, at: int, value: Object, name: str, new: Values) -> None:
        """`value.name = new`."""
        if frame.mode != ACTION or value.mode != ACTION:
            return
        if name in INJECTED and value.cls.real is self.given_to:
            self.fact(frame, Fact("clock-misuse", (frame.module, at), f"Assigning {name}"))
        for one in self._wrong(new):
            if isinstance(one, Foreign) and one.name in MODULES.values():
                self.fact(frame, Fact("clock-misuse", (frame.module, at), f"Keeping {one.name} in an attribute"))
            elif not any(isinstance(self.member(value.cls, special), tuple) for special in _PICKLING):
                self.put.setdefault((value, frame.context, (frame.module, at)), {})[self._words_for(one)] = None

    def puts(self, frame: Frame, at: int, box: Box, new: Values) -> None:
        """Something is put into a container, of which it is not known yet who holds it."""
        if frame.mode == ACTION and box.mode == ACTION:
            for one in self._wrong(new):
                self.put.setdefault((box, frame.context, (frame.module, at)), {})[self._words_for(one)] = None

    def give(self, frame: Frame, to: Value, given: list[Values]) -> None:
        """Values go where nothing is known of what becomes of them: what belongs to the state, or gets it together with them, may keep them."""
        if frame.mode == ACTION and (isinstance(to, Thing) or to is STATE or (len(given) > 1 and any(map(self._has_state, given)))):
            self.given.update(dict.fromkeys(one for values in given for one in values if isinstance(one, Object | Box)))

    def _has_state(self, values: Values) -> bool:
        return any(one is STATE or (isinstance(one, Object) and one.cls is self.given_to) for one in values)

    def holds(self, frame: Frame, at: int, box: Box, new: Values) -> None:
        """A container is made with something in it. What a constructor makes is pickled when a system is made, and fails there."""
        if not frame.context.qualname.endswith("__init__"):
            self.puts(frame, at, box, new)

    def _wrong(self, values: Values) -> Iterator[Value]:
        """Those of which no snapshot can hold any."""
        for one in values:
            if isinstance(one, FunctionValue):
                wrong = one.info.node.name == "<lambda>" or (one.parent is not None and one.parent.info is not None)
            elif isinstance(one, Foreign):
                wrong = one.name in MODULES.values() or one.name in sys.stdlib_module_names
            else:
                wrong = (
                    isinstance(one, ModuleValue)
                    or (isinstance(one, Box) and one.kind == "generator")
                    or (isinstance(one, Thing) and one.type in UNPICKLABLE)
                )
            if wrong:
                yield one

    def _words_for(self, one: Value) -> str:
        """How people call it."""
        if isinstance(one, FunctionValue):
            return "A lambda" if one.info.node.name == "<lambda>" else f"The local function {one.info.node.name}"
        if isinstance(one, Thing):
            return f"A {one.type}"
        return "A generator" if isinstance(one, Box) else "A module"

    def judge_kept(self, domain: ClassInfo) -> None:
        """When all is known: what was put into objects and containers that the attributes of the domain lead to."""
        if self.put:
            held = led_to(self, (self.pool.object(domain, ACTION), *self.given))
            for (holder, context, place), names in self.put.items():
                for name in names if self._is_among(held, holder) else ():
                    context.facts["unpicklable-state", place, name] = Fact("unpicklable-state", place, name)

    def _is_among(self, held: set[Value], holder: Box | Object) -> bool:
        """Whether a holder, or what stands for it or for which it stands, is among values."""
        if isinstance(holder, Box):
            return whole_of(holder) in held
        return holder in held or any(
            isinstance(one, Object)
            and one.mode == holder.mode
            and (
                one.cls is holder.cls
                or (holder.open and self.covers(holder.cls, one.cls))
                or (one.open and self.covers(one.cls, holder.cls))
            )
            for one in held
        )

    def box_of(self, value: Object) -> Box | None:
        """The container that an object of a subclass of list, dict, set, ... is."""
        raise NotImplementedError

    # the injected names

    def injected(self, frame: Frame, at: int, value: Object, name: str) -> Values:
        """`_clock` and `_random` of an object that assigns none itself."""
        place, domain = (frame.module, at), self.given_to
        if domain is not None and frame.mode == ACTION:
            if value.cls not in self.order(domain) and domain not in self.order(value.cls):
                self.fact(frame, Fact("clock-misuse", place, f"{name} of {value.cls.qualname}"))
            elif value.cls.real is domain and self._has_no_room(domain):
                self.fact(frame, Fact("clock-misuse", place, f"{name} of a class with __slots__"))
            else:
                self.injected_reads.setdefault(frame.context, {})[place] = name
        return frozenset((self.pool.foreign(MODULES[name]),))

    def _has_no_room(self, cls: ClassInfo) -> bool:
        """Whether objects of a class have slots only."""
        order = self.order(cls)
        return cls.known and all(one == "builtins.object" or (not isinstance(one, str) and _slots(one)) for one in order)

    def judge_construction(self, start: Context) -> None:
        """When all is known: what `__init__` reaches and reads from an object that has not been given anything yet."""
        self._misused([start], self.injected_reads, "in __init__")

    def judge_restores(self, starts: list[Context]) -> None:
        """When all is known: what reading a state reaches and calls of what only an action has, or an argument on its way to one."""
        self._misused(starts, self.recorded_calls, WHILE_READ)

    def _misused(self, starts: list[Context], uses: dict[Context, dict[Place, str]], where: str) -> None:
        seen, stack = set(starts), [*starts]
        while stack:
            context = stack.pop()
            for place, name in uses.get(context, {}).items():
                text = f"{name} {where}"
                context.facts["clock-misuse", place, text] = Fact("clock-misuse", place, text)
            for callee, _ in context.calls:
                if callee not in seen:
                    seen.add(callee)
                    stack.append(callee)


def _slots(cls: ClassInfo) -> bool:
    """Whether a class body has slots, none of which is the dictionary."""
    bindings = cls.scope.reaching("__slots__")
    return bool(bindings) and not any("__dict__" in _texts(one.statement) for one in bindings)


def _texts(statement: s.Stmt) -> str:
    return repr(statement)
