"""Attributes: `value.name` read, assigned and deleted, by the kind of value.

An attribute of the program's own objects holds all that is ever assigned to it, for all objects of the class in one mode; the class's own
value counts where no `__init__` assigns one. Properties and descriptors are calls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coopy.kinds import INJECTED
from coopy.validation import summary as s
from coopy.validation.link.builtin import lacks
from coopy.validation.link.enums import enum_members, is_enum
from coopy.validation.link.hazards import Args, of_state
from coopy.validation.link.keeping import Keeping
from coopy.validation.link.machine import Context
from coopy.validation.link.metaclasses import of_metaclasses
from coopy.validation.link.values import (
    ANYTHING,
    EMPTY,
    IMPORT,
    NONE,
    STATE,
    TYPES,
    UNKNOWN,
    UNKNOWNS,
    Bound,
    Box,
    ClassValue,
    Constant,
    Descriptor,
    Foreign,
    FunctionValue,
    Method,
    ModuleValue,
    Object,
    Pack,
    Partial,
    Super,
    Text,
    Thing,
    Unknown,
    Virtual,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.catalogue import Catalogue
    from coopy.validation.link.machine import Frame
    from coopy.validation.link.scopes import ClassInfo, Program
    from coopy.validation.link.values import Value, Values

MANY = 4  # other definitions of a member, from which on a family has a hub for it
_OF_NAMES = frozenset(("__dict__", "get", "pop", "setdefault", "update", "clear"))
MAX_DOTS = 7  # of a name outside the program; a loop could go on forever


class Attributes(Keeping):
    """Attributes. `announced`: classes whose bases have heard of them."""

    def __init__(self, program: Program, catalogue: Catalogue) -> None:
        super().__init__(program, catalogue)
        self.announced: set[ClassInfo] = set()

    def attribute(self, frame: Frame, at: int, value: Value, name: str) -> Values:
        """`value.name`."""
        read = _READ.get(type(value))
        return ANYTHING if read is None else read(self, frame, at, value, name)

    def _of_module(self, frame: Frame, at: int, value: ModuleValue, name: str) -> Values:
        found = self.module_member(frame, value.module, name, at)
        if not found and name in _OF_NAMES:  # of `globals()`, which is as good as the module
            return frozenset((value if name == "__dict__" else self.pool.bound(value, name),))
        return found or ANYTHING

    def class_names(self, frame: Frame, at: int, value: ClassValue) -> Values:
        """The members of a class by their names."""
        raise NotImplementedError

    def _of_foreign(self, _frame: Frame, _at: int, value: Foreign, name: str) -> Values:
        if value.name.count(".") > MAX_DOTS:
            return ANYTHING
        return frozenset((self.pool.foreign(f"{value.name}.{name}", value.place),))

    def _of_class(self, frame: Frame, at: int, value: ClassValue, name: str) -> Values:
        wide = value.open and self.is_wide(value, name)
        member = self.family_member if wide else self.each_member
        found = member(frame, at, value, name, special=False)
        if found:
            return found
        if name == "__dict__":
            return self.class_names(frame, at, value)
        if name == "__name__" and not value.open:
            return frozenset((self.pool.text(value.cls.real.node.name),))
        if name in ("__name__", "__qualname__", "__module__"):
            return frozenset((self.pool.thing("builtins.str", frame.mode),))
        if name == "__new__":
            return frozenset((self.pool.bound(value, name),))
        if found := of_metaclasses(self, frame, at, value, name):
            return found
        self._announce(frame, at, value.cls)
        written = self.read(self.attribute_cell(value.cls.real, "class", name))
        base = self.member(value.cls, name)
        return written or (frozenset((self.pool.foreign(f"{base}.{name}"),)) if isinstance(base, str) else ANYTHING)

    def _class_member(
        self, frame: Frame, at: int, cls: ClassInfo, name: str, receiver: Value, after: ClassInfo | None = None
    ) -> Values:  # fmt: skip
        """A member as seen from a class or from one of its objects."""
        found = self.member(cls, name, after)
        if found is None or isinstance(found, str):
            return EMPTY
        values = EMPTY
        for one in self.member_values(frame, cls, name, at, after):
            values |= self.bound_to(frame, at, one, cls, receiver)
        if not isinstance(receiver, ClassValue):
            for one in self.read(self.attribute_cell(found[0], "class", name)) if (found[0], "class") in self.attributes else ():
                values |= self.bound_to(frame, at, one, cls, receiver)
        else:
            values |= self.read(self.attribute_cell(found[0], "class", name))
            if is_enum(self, found[0]) and any(isinstance(one.statement, s.Assign) for one in found[1]):
                return enum_members(self, frame, at, cls)
        return values

    def member_bound(self, frame: Frame, at: int, cls: ClassInfo, name: str) -> Values:
        """A member as seen from its class."""
        return self._class_member(frame, at, cls, name, self.pool.cls(cls))

    def bound_to(self, frame: Frame, at: int, value: Value, cls: ClassInfo, receiver: Value) -> Values:
        """The descriptor protocol."""
        on_object = not isinstance(receiver, ClassValue)
        if isinstance(value, FunctionValue):
            return frozenset((self.pool.method(value, receiver) if on_object else value,))
        if isinstance(value, Descriptor):
            if value.kind == "static":
                return value.parts[0]
            if value.kind == "partial":
                return self._of_partial_method(value, receiver) if on_object else frozenset((value,))
            if value.kind == "class":
                owner = receiver if not on_object else self._class_of(receiver, cls)
                return frozenset(self.pool.method(one, owner) for one in value.parts[0])
            if on_object:
                return self.call_all(frame, at, value.parts[0], Args([frozenset((receiver,))]))
            return frozenset((value,))
        if isinstance(value, Object) and self.member(value.cls, "__get__") is not None:
            owner_value = frozenset((receiver,)) if on_object else frozenset((self.pool.cls(cls),))
            return self.call_special(frame, at, value, "__get__", Args([owner_value, frozenset((self.pool.cls(cls),))]))
        return frozenset((value,))

    def _class_of(self, receiver: Value, cls: ClassInfo) -> ClassValue:
        return self.pool.cls(receiver.cls, receiver.open) if isinstance(receiver, Object) else self.pool.cls(cls)

    def _of_partial_method(self, value: Descriptor, receiver: Value) -> Values:
        return frozenset(
            self.pool.partial(frozenset(self.pool.method(one, receiver) for one in partial.function), partial.args, partial.keywords)
            for partial in value.parts[0]
            if isinstance(partial, Partial)
        )

    def call_all(self, frame: Frame, at: int, callees: Values, args: Args) -> Values:
        """The results of calling each of several values."""
        values = EMPTY
        for one in callees:
            values |= self.call(frame, at, one, args)
        return values

    def call_special(self, frame: Frame, at: int, value: Value, name: str, args: Args) -> Values:
        """Call a special method of an object of the program, if its class has one."""
        if not isinstance(value, Object):
            return EMPTY
        return self.call_all(frame, at, self._special_member(frame, at, value, name), args)

    def _special_member(self, frame: Frame, at: int, value: Object, name: str) -> Values:
        if value.open and self.is_wide(value, name):
            return self.family_member(frame, at, value, name, special=True)
        return self.each_member(frame, at, value, name, special=True)

    def each_member(self, frame: Frame, at: int, value: Object | ClassValue, name: str, *, special: bool) -> Values:
        """A member of a value of whichever class."""
        others = self._overrides(frame, at, value, name)
        if special or isinstance(value, ClassValue):
            return others | self._class_member(frame, at, value.cls, name, value)
        values = self._of_its_class(frame, at, value, name)
        return others if others and values <= {UNKNOWN, STATE} else others | values

    def family_member(self, frame: Frame, at: int, value: Object | ClassValue, name: str, *, special: bool) -> Values:
        """A member of one of many classes (see `dispatch.py`)."""
        raise NotImplementedError

    def is_wide(self, value: Object | ClassValue, name: str) -> bool:
        """Whether a member has many definitions in a family."""
        return len(self.overriders(value.cls, name, value.open)) > MANY

    def has_special(self, value: Value, name: str) -> bool:
        """Whether an object of the program has a special method of the program."""
        return isinstance(value, Object) and (
            isinstance(self.member(value.cls, name), tuple) or (bool(value.open) and bool(self.overriders(value.cls, name, value.open)))
        )

    def _only_sets(self, value: Value) -> bool:
        """Whether this is a descriptor that sees assignments and keeps values in the object: reading gives what is kept there."""
        return self.has_special(value, "__set__") and not self.has_special(value, "__get__")

    def _of_object(self, frame: Frame, at: int, value: Object, name: str) -> Values:
        if (
            isinstance(self.member(value.cls, "__getattribute__"), tuple)
            and frame.context.qualname.rpartition(".")[2] != "__getattribute__"
        ):
            return self.plain_attribute(frame, at, value, name) | self.call_special(
                frame, at, value, "__getattribute__", Args([frozenset((self.pool.text(name),))])
            )
        return self.plain_attribute(frame, at, value, name)

    def plain_attribute(self, frame: Frame, at: int, value: Object, name: str) -> Values:
        """An attribute as `object.__getattribute__` finds it."""
        if not value.open:
            return self._of_its_class(frame, at, value, name)
        if self.is_wide(value, name):
            return self.family_member(frame, at, value, name, special=False)
        return self.each_member(frame, at, value, name, special=False)

    def _of_its_class(self, frame: Frame, at: int, value: Object, name: str) -> Values:
        cls = value.cls
        found = self.member(cls, name)
        held = self.held(value, name)
        if isinstance(found, tuple):
            if self._hidden(cls, name) and held:
                return held
            if not (found[1] and isinstance(found[1][-1].statement, s.Assign) and self._is_field(cls, name)):
                members = self._class_member(frame, at, cls, name, value)
                if setters := frozenset(one for one in members if self._only_sets(one)):
                    members = (members - setters) | {of_state(value)}
                return held | members
        held |= self._added(frame, at, value, name)
        if held:
            return held
        if name in INJECTED and not isinstance(found, tuple):
            return self.injected(frame, at, value, name)
        if self.has_special(value, "__getattr__"):
            return self.call_special(frame, at, value, "__getattr__", Args([frozenset((self.pool.text(name),))]))
        if name == "__class__":
            return frozenset((self.pool.cls(cls, value.open),))
        if name == "__dict__":
            return frozenset((self.pool.box("dict", (cls.module, cls.node.at), value.mode),))
        if isinstance(found, str):
            return frozenset((self.pool.bound(value, name),))
        return frozenset((of_state(value),))

    def _added(self, frame: Frame, at: int, value: Object, name: str) -> Values:
        """What was assigned to the class from outside its body, by a decorator for one."""
        values = EMPTY
        if value.cls not in self.announced:
            self._announce(frame, at, value.cls)
        for cls in value.cls.own():
            if (cls, "class") in self.attributes:
                for one in self.read(self.attribute_cell(cls, "class", name)):
                    values |= self.bound_to(frame, at, one, cls, value)
        return values

    def _announce(self, frame: Frame, at: int, cls: ClassInfo) -> None:
        """Run the statement of a class of which a base hears by `__init_subclass__`: it may put something into the class."""
        if cls in self.announced:
            return
        self.announced.add(cls)
        if cls.parent is None and isinstance(self.member(cls, "__init_subclass__", cls), tuple):
            for one in cls.module.scope.bindings.get(cls.node.name, ()):
                if one.statement is cls.node:
                    context = self.statement(cls.module, None, cls.node)
                    self.demand(context)
                    self.called(frame, context, at)

    def _overrides(self, frame: Frame, at: int, value: Object | ClassValue, name: str) -> Values:
        """Of a family: what its other classes make of a member."""
        values = EMPTY
        for one in list(self.overriders(value.cls, name, value.open)) if value.open else ():
            member = self.pool.object(one, value.mode, value.open) if isinstance(value, Object) else self.pool.cls(one, value.open)
            values |= self._class_member(frame, at, one, name, member)
        return values

    def _is_field(self, cls: ClassInfo, name: str) -> bool:
        return any(one[0] == name for one in self.fields(cls))

    def _hidden(self, cls: ClassInfo, name: str) -> bool:
        """Whether every object gets its own value when it is made."""
        if self._is_field(cls, name):
            return True
        for one in cls.own():
            for binding in one.scope.reaching("__init__"):
                if isinstance(binding.statement, s.Function) and name in one.module.function(binding.statement, one).assigned:
                    return True
        return False

    def held(self, value: Object, name: str) -> Values:
        """What was ever assigned to an attribute of such objects; else what annotations say."""
        cls = value.cls
        cell = self.family_cell if value.open and not self.is_large(cls) else self.attribute_cell
        values = self.read(cell(cls, value.mode, name))
        if values and not values <= {UNKNOWN, STATE}:
            return values
        self.seed(value)
        values = self.read(cell(cls, value.mode, name))
        for one in cls.own():
            if name in one.scope.annotations and (not values or values <= {UNKNOWN, STATE}):
                scratch = self.scratch(one.module, None, one.parent, one.node.at)
                scratch.mode = value.mode
                values |= self.annotated(scratch, one.scope.annotations[name])
        return values if values.isdisjoint(UNKNOWNS) else (values - UNKNOWNS) | {of_state(value)}

    def seed(self, value: Object) -> None:
        """Objects that nobody makes in the code at hand: learn their attributes from a constructor that is not really called."""
        key = (value.cls, value.mode, "seed")
        if key in self.statements:
            return
        context = Context(value.cls.module, TYPES, value.cls.node.at, lambda _: None)
        self.statements[key] = context
        if (value.cls, value.mode) in self.attributes and "__init__" in self.attributes[value.cls, value.mode]:
            return
        frame = self.scratch(value.cls.module, None, value.cls.parent, value.cls.node.at)
        for one in self._class_member(frame, value.cls.node.at, value.cls, "__init__", value):
            self.call(frame, value.cls.node.at, one, Args(open_=True))

    def _of_super(self, frame: Frame, at: int, value: Super, name: str) -> Values:
        receiver = value.receiver
        cls = receiver.cls if isinstance(receiver, (Object, ClassValue)) else value.cls
        found = self._class_member(frame, at, cls, name, receiver, value.cls)
        if found:
            return found
        base = self.member(cls, name, value.cls)
        return frozenset((self.pool.bound(receiver, name),)) if isinstance(base, str) or name == "__new__" else EMPTY

    def _of_thing(self, frame: Frame, at: int, value: Thing, name: str) -> Values:
        full = f"{value.type}.{name}"
        if lacks(value, name):
            return EMPTY
        if name == "parent" and value.type.startswith("pathlib."):
            return frozenset((value,))
        if name == "tzinfo" and value.type in ("datetime.datetime", "datetime.time"):
            zone = frozenset((self.pool.thing("datetime.tzinfo", frame.mode),))
            return {"naive": NONE, "aware": zone}.get(value.note, zone | NONE)
        self.flag_read(frame, at, full)
        return frozenset((self.pool.bound(value, name),))

    def _of_function(self, frame: Frame, _at: int, value: FunctionValue, name: str) -> Values:
        if name.startswith("__"):
            return frozenset((self.pool.thing("builtins.str", frame.mode),))
        return self.read(self.variable_of(value, name)) or frozenset((self.pool.bound(value, name),))

    def variable_of(self, value: FunctionValue, name: str) -> Any:
        """An attribute of a function."""
        context = self.statements.setdefault(
            (value.info, "attributes"), Context(value.info.module, IMPORT, value.info.node.at, lambda _: None)
        )
        return context.variable(name)

    def _of_method(self, _frame: Frame, _at: int, value: Value, _name: str) -> Values:
        """`__name__`, `__self__` and the like of a method."""
        return frozenset((of_state(value),))

    def _of_box(self, frame: Frame, at: int, value: Box, name: str) -> Values:
        if value.kind == "namespace":
            return (self.read(value.slots[name]) if name in value.slots else EMPTY) or frozenset((of_state(value),))
        return self._of_bound(frame, at, value, name)

    def _of_bound(self, _frame: Frame, _at: int, value: Value, name: str) -> Values:
        return EMPTY if lacks(value, name) else frozenset((self.pool.bound(value, name),))

    def _of_wrapped(self, frame: Frame, at: int, value: Descriptor, name: str) -> Values:
        index = {"__func__": 0, "__wrapped__": 0, "func": 0, "fget": 0, "fset": 1, "fdel": 2}.get(name, len(value.parts))
        return value.parts[index] if index < len(value.parts) else self._of_bound(frame, at, value, name)

    def _of_unknown(self, _frame: Frame, _at: int, value: Unknown, name: str) -> Values:
        return ANYTHING if name == "__class__" else frozenset((self.pool.bound(value, name),))  # a class is no state


_READ: dict[type, Callable[..., Values]] = {
    ModuleValue: Attributes._of_module,
    Foreign: Attributes._of_foreign,
    ClassValue: Attributes._of_class,
    Object: Attributes._of_object,
    Super: Attributes._of_super,
    Thing: Attributes._of_thing,
    FunctionValue: Attributes._of_function,
    Text: Attributes._of_bound,
    Constant: Attributes._of_bound,
    Box: Attributes._of_box,
    Pack: Attributes._of_bound,
    Descriptor: Attributes._of_wrapped,
    Bound: Attributes._of_method,
    Virtual: Attributes._of_method,
    Method: Attributes._of_method,
    Partial: Attributes._of_method,
    Unknown: Attributes._of_unknown,
}
