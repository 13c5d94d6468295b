"""The pool of one analysis: makes each abstract value once, and numbers it in the order of making (see `values.py`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from coopy.validation.link.values import (
    ALWAYS,
    MAX_PARTIALS,
    Bound,
    Box,
    Cell,
    ClassValue,
    Descriptor,
    Foreign,
    FunctionValue,
    Method,
    ModuleValue,
    Object,
    Pack,
    Partial,
    Picked,
    Super,
    Text,
    Thing,
    Value,
    Virtual,
    depth_of,
    ends,
)  # fmt: skip

if TYPE_CHECKING:
    from coopy.validation.link.machine import Context
    from coopy.validation.link.scopes import ClassInfo, FunctionInfo, ModuleInfo
    from coopy.validation.link.values import Place, Values


V = TypeVar("V", bound=Value)


class Pool:
    """Makes each value once, so that equal values are the same object."""

    def __init__(self) -> None:
        self._made: dict[tuple[Any, ...], Any] = {}
        self._texts: dict[str, Text] = {}
        self._things: dict[tuple[str, str, str], Thing] = {}
        self._objects: dict[tuple[ClassInfo, str, str], Object] = {}
        self._functions: dict[tuple[FunctionInfo, Context | None], FunctionValue] = {}
        self._methods: dict[tuple[int, int], Method] = {}  # by the numbers of function and receiver
        self._count = len(ALWAYS)
        self.made: dict[ClassInfo, None] = {}  # classes of which there are objects

    def _get(self, kind: type[Any], *fields: Any) -> Any:
        key = (kind, *fields)
        found = self._made.get(key)
        if found is None:
            found = self._made[key] = self._numbered(kind(*fields))
        return found

    def _numbered(self, value: V) -> V:
        self._count += 1
        value.number = self._count
        return value

    def text(self, text: str) -> Text:
        """A string."""
        found = self._texts.get(text)
        if found is None:
            found = self._texts[text] = self._numbered(Text(text))
        return found

    def foreign(self, name: str, place: Place | None = None) -> Foreign:
        """A name outside the program."""
        return self._get(Foreign, name, place)  # type: ignore[no-any-return]

    def thing(self, kind: str, mode: str, note: str = "") -> Thing:
        """An instance of a type outside the program."""
        key = (kind, note, mode)
        found = self._things.get(key)
        if found is None:
            found = self._things[key] = self._numbered(Thing(kind, note, mode))
        return found

    def module(self, module: ModuleInfo) -> ModuleValue:
        """A module."""
        return self._get(ModuleValue, module)  # type: ignore[no-any-return]

    def cls(self, cls: ClassInfo, open_: str = "") -> ClassValue:
        """A class."""
        return self._get(ClassValue, cls.real, open_)  # type: ignore[no-any-return]

    def made_class(self, cls: ClassInfo) -> ClassValue:
        """The class of which `__new__` makes an object."""
        return self._get(ClassValue, cls, "")  # type: ignore[no-any-return]

    def object(self, cls: ClassInfo, mode: str, open_: str = "") -> Object:
        """An instance of a class."""
        if not open_:
            self.made[cls] = None
        key = (cls, mode, open_)
        found = self._objects.get(key)
        if found is None:
            found = self._objects[key] = self._numbered(Object(cls, mode, open_))
        return found

    def classes(self, mode: str) -> dict[ClassInfo, None]:
        """Those of which there are objects made in a mode, or may be."""
        return dict.fromkeys(one.cls for one in self._objects.values() if one.mode == mode)

    def function(self, info: FunctionInfo, parent: Context | None) -> FunctionValue:
        """A function as defined in a call."""
        key = (info, parent)
        found = self._functions.get(key)
        if found is None:
            found = self._functions[key] = self._numbered(FunctionValue(info, parent))
        return found

    def method(self, function: Value, receiver: Value) -> Method:
        """A bound method."""
        key = (function.number, receiver.number)
        found = self._methods.get(key)
        if found is None:
            found = self._methods[key] = self._numbered(Method(function, receiver))
        return found

    def virtual(self, receiver: Object | ClassValue, name: str, *, special: bool) -> Virtual:
        """A method of a family."""
        return self._get(Virtual, receiver, name, special)  # type: ignore[no-any-return]

    def bound(self, receiver: Value, name: str) -> Bound:
        """A method of something outside the program."""
        return self._get(Bound, receiver, name)  # type: ignore[no-any-return]

    def descriptor(self, kind: str, *parts: Values) -> Descriptor:
        """A property, static method or class method."""
        return self._get(Descriptor, kind, parts)  # type: ignore[no-any-return]

    def partial(self, function: Values, args: tuple[Values, ...], keywords: tuple[tuple[str, Values], ...]) -> Partial:
        """A partial; one of partials of partials is of the functions at their ends, with arguments that are not known."""
        if depth_of(function, args, keywords) > MAX_PARTIALS:
            return self.partial_of(function)
        return self._get(Partial, function, args, keywords, False)  # type: ignore[no-any-return] # noqa: FBT003

    def partial_of(self, functions: Values) -> Partial:
        """What stands for many partials."""
        return self._get(Partial, ends(functions), (), (), True)  # type: ignore[no-any-return] # noqa: FBT003

    def super(self, cls: ClassInfo, receiver: Value) -> Super:
        """What `super` gives."""
        return self._get(Super, cls, receiver)  # type: ignore[no-any-return]

    def pack(self, items: tuple[Values, ...], names: tuple[str, ...] = ()) -> Pack:
        """A tuple."""
        return self._get(Pack, items, names)  # type: ignore[no-any-return]

    def boxes_at(self, place: Place, mode: str) -> list[Box]:
        """The containers of a place that there are by now."""
        found = (self._made.get((Box, kind, place, mode, None)) for kind in ("list", "dict", "set", "frozenset", "tuple", "deque"))
        return [one for one in found if one is not None]

    def picked(self, place: Place) -> Picked:
        """A mark."""
        return self._get(Picked, place)  # type: ignore[no-any-return]

    def box(self, kind: str, place: Place, mode: str, maker: Context | None = None) -> Box:
        """The container of a place."""
        return self._get(Box, kind, place, mode, maker)  # type: ignore[no-any-return]

    def lone_box(self, kind: str, place: Place, mode: str, maker: Context | None) -> Box:
        """The container of a place, made of one element if nothing else has made it there."""
        there = len(self._made)
        box = self.box(kind, place, mode, maker)
        if len(self._made) > there:
            box.more = Cell()
        return box
