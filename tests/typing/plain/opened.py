"""What `init_system` gives: the domain's own type, from a class and from an instance."""

from __future__ import annotations

from abc import ABC, ABCMeta, abstractmethod
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar, assert_type

import coopy
from coopy import control, init_system
from coopy.base import init_persistent_system

T = TypeVar("T")
W = TypeVar("W", bound="Wiki")


class Wiki:
    title = ""

    def __init__(self, title: str = "") -> None:
        self.pages: dict[str, str] = {title: title}

    def add(self, name: str) -> int:
        self.pages[name] = name
        return len(self.pages)


class Sub(Wiki):
    pass


class Shelf(Generic[T]):
    def __init__(self) -> None:
        self.things: list[T] = []

    def put(self, thing: T) -> T:
        self.things.append(thing)
        return thing


class Books(Shelf[str]):
    pass


class Shape(ABC):
    @abstractmethod
    def area(self) -> float: ...

    @staticmethod
    def make() -> Shape:
        return Square()


class Square(Shape):
    def area(self) -> float:
        return 1.0


class Meta(type):
    def registered(cls) -> int:
        return 1


class WithMeta(metaclass=Meta):
    number = 1


class Making(ABCMeta):
    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return super().__call__(*args, **kwargs)


class Made(metaclass=Making):
    number = 1


class Adds(Protocol):
    def add(self, name: str) -> int: ...


class Called:
    def __call__(self, number: int) -> str:
        return str(number)


@dataclass
class Todo:
    items: list[str] = field(default_factory=list[str])


class Slotted:
    __slots__ = ("number",)
    number: int


# A class and an instance

assert_type(init_system(Wiki), Wiki)
assert_type(init_system(Wiki()), Wiki)
assert_type(init_system(Wiki("a"), "directory"), Wiki)
assert_type(init_system(obj=Wiki), Wiki)
assert_type(init_system(obj=Wiki()), Wiki)
assert_type(init_system(Sub), Sub)
assert_type(init_system(Sub()), Sub)
assert_type(coopy.init_system(Wiki()), Wiki)
assert_type(init_persistent_system(Wiki), Wiki)
assert_type(init_persistent_system(Wiki(), "directory", 60), Wiki)
assert_type(coopy.init_persistent_system(Wiki()), Wiki)
assert_type(init_system(WithMeta), WithMeta)
assert_type(init_system(WithMeta()), WithMeta)
assert_type(init_system(Made), Made)
assert_type(init_system(Called), Called)
assert_type(init_system(Called()), Called)
assert_type(init_system(Todo), Todo)
assert_type(init_system(Todo(["a"])), Todo)
assert_type(init_system(Slotted), Slotted)
assert_type(init_system(Square), Square)
assert_type(init_system(Square()), Square)
assert_type(init_system(Shape.make()), Shape)

# Generic classes

assert_type(init_system(Shelf[int]), Shelf[int])
assert_type(init_system(Shelf[int]()), Shelf[int])
assert_type(init_system(Shelf[int]).put(1), int)
assert_type(init_system(Shelf[Wiki]).things[0].pages, dict[str, str])
assert_type(init_system(Books), Books)
assert_type(init_system(Books()).put("a"), str)
ints: Shelf[int] = init_system(Shelf())
init_system(Shelf[int]).put("a")  # error
strings: Shelf[str] = init_system(Shelf[int]())  # error
strings = init_system(Shelf[int])  # error

# Where another type is asked for

shape: Shape = init_system(Square)
shape = init_system(Square())
adds: Adds = init_system(Wiki)
adds = init_system(Wiki())
sub: Sub = init_system(Wiki)  # error
sub = init_system(Wiki())  # error
adds = init_system(Todo())  # error

# What it gives is used as the domain

assert_type(init_system(Wiki).add("a"), int)
assert_type(init_system(Called)(1), str)
assert_type(init_system(Wiki()).pages["a"], str)
init_system(Wiki).add(1)  # error
init_system(Wiki()).add()  # error
init_system(Wiki()).remove("a")  # error
init_system(Wiki)("a")  # error
init_system(Called)("a")  # error


# In functions


def from_parameters(
    kind: type[Wiki],
    thing: Adds,
    kinds: type[Wiki | Todo],
    things: Wiki | Todo,
    maybe: Wiki | None,
    anything: Any,
) -> None:
    assert_type(init_system(kind), Wiki)
    assert_type(init_system(thing), Adds)
    assert_type(init_system(kinds), Wiki | Todo)
    assert_type(init_system(things), Wiki | Todo)
    assert_type(init_system(maybe or Wiki()), Wiki)
    if maybe is not None:
        assert_type(init_system(maybe), Wiki)
    number: int = init_system(anything)
    print(number)


def from_class(kind: type[T]) -> T:
    assert_type(init_system(kind), T)
    return init_system(kind, "directory")


def from_instance(thing: W) -> W:
    assert_type(init_system(thing), W)
    return init_system(thing, "directory")


def from_generic(kind: type[Shelf[T]], thing: Shelf[T]) -> Shelf[T]:
    assert_type(init_system(thing), Shelf[T])
    return init_system(kind)


assert_type(from_class(Sub), Sub)
assert_type(from_instance(Sub()), Sub)
assert_type(from_generic(Shelf[int], Shelf[int]()), Shelf[int])

with control(init_system(Wiki)) as wiki:
    assert_type(wiki, Wiki)
with control(init_system(Shelf[int]())) as shelf:
    assert_type(shelf, Shelf[int])
    assert_type(shelf.things, list[int])
with init_system(Wiki()) as wiki:  # error
    pass


# What checkers see differently


def differently(either: type[Wiki] | Wiki) -> None:
    assert_type(init_system(either), Wiki)  # error in pyright, pyrefly, ty
    init_system(Shape).area()  # error in mypy
    unsaid: Shelf[int] = init_system(Shelf)  # error in pyright
    print(unsaid)
