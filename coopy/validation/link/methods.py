"""Methods of what is outside the program: of strings and times, of bases that the program's classes have, of values that nothing is known of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.kinds import CHANGING
from coopy.validation.link.calls import REGISTERED
from coopy.validation.link.hazards import Args, of_state, type_name
from coopy.validation.link.templates import call_in_place
from coopy.validation.link.texts import Texts
from coopy.validation.link.values import (
    ANYTHING,
    EMPTY,
    NONE,
    STATE,
    Bound,
    Box,
    ClassValue,
    Descriptor,
    FunctionValue,
    ModuleValue,
    Object,
    Pack,
    Text,
    Thing,
    Unknown,
)  # fmt: skip

if TYPE_CHECKING:
    from coopy.validation.link.machine import Frame
    from coopy.validation.link.values import Values

_SEEDED = frozenset(("seed", "random", "randint", "randrange", "choice", "choices", "sample", "shuffle", "uniform", "getrandbits", "gauss"))
_FLAG_ONLY = frozenset(("concurrency", "process"))  # what these run, they run elsewhere: the call itself is the finding


class Methods(Texts):
    """Methods outside the program."""

    def call_bound(self, frame: Frame, at: int, callee: Bound, args: Args) -> Values:
        """A method of something whose class is outside the program."""
        receiver, name = callee.receiver, callee.name
        if isinstance(receiver, Box):
            return self.call_box(frame, at, receiver, name, args)
        if isinstance(receiver, Text) or type_name(receiver) == "builtins.str":
            return self.text_method(frame, at, receiver, name, args)
        if isinstance(receiver, Thing):
            return self._thing_method(frame, at, receiver, name, args)
        if isinstance(receiver, Object):
            return self._base_method(frame, at, receiver, name, args)
        if isinstance(receiver, Pack):
            return self._pack_method(frame, at, receiver, name, args)
        if isinstance(receiver, ClassValue) and name in ("__call__", "__new__"):
            return self._class_method(frame, at, receiver, name, args)
        if isinstance(receiver, Descriptor):
            return self._descriptor_method(receiver, name, args)
        if isinstance(receiver, FunctionValue) and name == "register":
            return self._register(receiver, callee, args)
        if isinstance(receiver, ModuleValue):
            return self._names_method(frame, at, receiver, name, args)
        if isinstance(receiver, Unknown):
            self._unknown_method(frame, at, receiver, name)
        self.unresolved.add((frame.module, at))
        self.give(frame, receiver, [*args.positional, *args.keywords.values()])
        self.callbacks(frame, at, args)
        return frozenset((of_state(receiver),))

    def _unknown_method(self, frame: Frame, at: int, receiver: Unknown, name: str) -> None:
        """What the name of a method says, whatever it belongs to."""
        if name == "__hash__":
            self.flag_call(frame, at, self.pool.foreign("builtins.hash"), Args([frozenset((receiver,))]))
        if name in CHANGING and receiver is STATE:
            self.mutated(frame, at, receiver, name)
        if name in ("append", "extend", "insert", "appendleft"):
            self.ordered_effect(frame, None)

    def _pack_method(self, frame: Frame, at: int, receiver: Pack, name: str, args: Args) -> Values:
        box = self.new_box(frame, at, "dict" if receiver.names else "tuple")
        if receiver.names:
            self.merge(frame, at, box, frozenset((receiver,)))
        else:
            self.write(box.items, self._elements_of(frame, at, receiver))
        return self.call_box(frame, at, box, name, args)

    def _class_method(self, frame: Frame, at: int, receiver: ClassValue, name: str, args: Args) -> Values:
        """`super().__call__(...)` of a metaclass, `super().__new__(cls)` of a class."""
        if name == "__call__":
            return self.make(frame, at, receiver.cls, args)
        made = [one.cls for one in args.positional[0] if isinstance(one, ClassValue)] if args.positional else [receiver.cls]
        texts = [one.text for one in args.positional[1] if isinstance(one, Text)] if len(args.positional) > 1 else []
        classes = frozenset(self.pool.cls(self.named[one, text]) for one in made for text in texts if (one, text) in self.named)
        return classes or frozenset(self.pool.object(one, frame.mode) for one in made)

    def _names_method(self, frame: Frame, at: int, receiver: ModuleValue, name: str, args: Args) -> Values:
        """`globals().get(name)` and its like."""
        if name != "get":
            self.live(frame, at, f"a name of {receiver.module.name}")
        return self.item(frame, at, receiver, args.get(0, "key") or ANYTHING, None) | (args.get(1, "default") or EMPTY)

    def _register(self, function: FunctionValue, callee: Bound, args: Args) -> Values:
        """`@f.register` or `@f.register(T)`: another body of a single dispatch function."""
        bodies = frozenset(one for values in args.positional for one in values if isinstance(one, FunctionValue))
        if not bodies:
            return frozenset((callee,))
        self.write(self.variable_of(function, REGISTERED), bodies)
        return bodies

    def _thing_method(self, frame: Frame, at: int, receiver: Thing, name: str, args: Args) -> Values:
        if receiver.type == "random.Random" and name in _SEEDED:
            self.mutated(frame, at, receiver, name)
        if not self.flag_method(frame, at, receiver, receiver.type, name, args):
            self.unresolved.add((frame.module, at))
            self.give(frame, receiver, args.all())
        if receiver.type == "string.Template":
            self.substituted(frame, at, args)
        if name == "shuffle":
            self.changes_first(frame, at, name, args)
        if name in ("enter_context", "push") and args.positional:
            return self.entered(frame, at, args.positional[0])
        if not self.runs_elsewhere(f"{receiver.type}.{name}"):
            self.callbacks(frame, at, args)
        return self.returned(frame, f"{receiver.type}.{name}", args, receiver)

    def _base_method(self, frame: Frame, at: int, receiver: Object, name: str, args: Args) -> Values:
        """A method that an object of the program has from a base outside it."""
        if name == "__setattr__" and len(args.positional) > 1:
            self._set_plainly(frame, at, receiver, args)
            return NONE
        if name in ("__getattribute__", "__getattr__") and args.positional:
            texts = [one.text for one in args.positional[0] if isinstance(one, Text)]
            return frozenset().union(*(self.plain_attribute(frame, at, receiver, one) for one in texts)) or frozenset((of_state(receiver),))
        for base in receiver.cls.foreign():
            self.flag_method(frame, at, receiver, base, name, args)
        if name == "__init__" and self._is_conditional(receiver.cls):
            self.flag_bases(frame, at, receiver.cls, args)
        call_in_place(self, frame, at, receiver, name)
        if (made := self.abstract_method(frame, at, receiver, name, args)) is not None:
            return made
        if (box := self.box_of(receiver)) is not None:
            return self._own_box(frame, at, box, name, args)
        if name in CHANGING:
            self.mutated(frame, at, receiver, name)
        self.give(frame, STATE, args.all())
        self.callbacks(frame, at, args)
        return frozenset((of_state(receiver),))

    def _set_plainly(self, frame: Frame, at: int, receiver: Object, args: Args) -> None:
        """`object.__setattr__(self, name, value)`: no method of the class hears of it."""
        for one in args.positional[0]:
            name = one.text if isinstance(one, Text) else "[]"
            self.write(self.attribute_cell(receiver.cls, receiver.mode, name), self.kept(args.positional[1]))
            self.mutated(frame, at, receiver, name)
            self.keeps(frame, at, receiver, name, args.positional[1])

    def _own_box(self, frame: Frame, at: int, box: Box, name: str, args: Args) -> Values:
        """super().append and the like, in a subclass of a container."""
        if name == "__setitem__" and len(args.positional) > 1:
            self.store_item(frame, at, box, args.positional[0], args.positional[1])
            return NONE
        if name == "__init__":
            for one in args.positional[:1]:
                self.merge(frame, at, box, one) if box.kind == "dict" else self.write(box.items, self.elements(frame, at, one))
            return NONE
        if name == "__iter__":
            return frozenset((box,))
        return self.call_box(frame, at, box, name, args)

    def _descriptor_method(self, receiver: Descriptor, name: str, args: Args) -> Values:
        """`@x.setter` and its like."""
        given = args.positional[0] if args.positional else EMPTY
        parts = dict(zip(("getter", "setter", "deleter"), (*receiver.parts, EMPTY, EMPTY, EMPTY), strict=False)) | {name: given}
        getter, setter, deleter = list(parts.values())[:3]
        return frozenset((self.pool.descriptor("property", getter, setter, *([deleter] if deleter else [])),))

    def entered(self, frame: Frame, at: int, managers: Values) -> Values:
        """`with manager as value`: enter and leave."""
        values = EMPTY
        for one in managers:
            if isinstance(one, Object) and self.has_special(one, "__enter__"):
                values |= self.call_special(frame, at, one, "__enter__", Args())
                self.call_special(frame, at, one, "__exit__", Args([ANYTHING] * 3))
            elif isinstance(one, Object) and self.has_special(one, "__aenter__"):
                values |= self.call_special(frame, at, one, "__aenter__", Args())
                self.call_special(frame, at, one, "__aexit__", Args([ANYTHING] * 3))
            elif isinstance(one, Box) and one.kind == "generator":
                values |= self.everything(one)
            elif isinstance(one, Thing):
                self.flag_method(frame, at, one, one.type, "__enter__", Args())
                self.flag_method(frame, at, one, one.type, "__exit__", Args(open_=True))
                values |= {one}
            else:
                values |= {of_state(one)}
        return values

    def changes_first(self, frame: Frame, at: int, name: str, args: Args) -> None:
        for one in args.positional[0] if args.positional else EMPTY:
            self.mutated(frame, at, one, name)

    def runs_elsewhere(self, name: str) -> bool:
        return any(entry.category in _FLAG_ONLY for entry in self.catalogue.decide(name) or ())
