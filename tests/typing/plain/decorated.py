"""`@readonly`, `@unlocked` and `@abort_exception` leave a method's signature as it is."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, ParamSpec, Protocol, Self, TypeVar, assert_type, final, overload

from typing_extensions import override

import coopy
from coopy import abort_exception, init_system, readonly, unlocked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator, Iterator

P = ParamSpec("P")
T = TypeVar("T")
N = TypeVar("N", int, str)


class Shelf(Generic[T]):
    def __init__(self, thing: T) -> None:
        self.thing = thing

    # Parameters

    @readonly
    def positional(self, number: int, /, text: str, *, raw: bytes = b"") -> str:
        return f"{number}{text}{raw!r}"

    @abort_exception
    def variable(self, *numbers: int, **texts: str) -> int:
        return sum(numbers) + len(texts)

    @unlocked
    @readonly
    def defaults(self, number: int = 1, text: str | None = None) -> T | None:
        return self.thing if text or number else None

    @coopy.abort_exception
    def nothing(self) -> None:
        return None

    # Generics

    @readonly
    def get(self) -> T:
        return self.thing

    @unlocked
    @coopy.readonly
    def pick(self, numbers: list[N]) -> N:
        return numbers[0]

    @readonly
    def itself(self) -> Self:
        return self

    @readonly
    def map(self, function: Callable[[T], N]) -> list[N]:
        return [function(self.thing)]

    @readonly
    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return function(*args, **kwargs)

    # Overloads: the mark on the implementation, or on each

    @overload
    def either(self, key: int) -> int: ...
    @overload
    def either(self, key: str, *, more: bool = ...) -> str: ...
    @readonly
    def either(self, key: int | str, *, more: bool = False) -> int | str:
        return [key, key][more]

    @overload
    @readonly
    def each(self, key: int) -> int: ...
    @overload
    @readonly
    def each(self, key: str) -> str: ...
    @readonly
    def each(self, key: int | str) -> int | str:
        return key

    # Generators and coroutines

    @readonly
    def iterate(self, times: int) -> Iterator[T]:
        for _ in range(times):
            yield self.thing

    @readonly
    async def wait(self, times: int) -> T:
        assert times
        return self.thing

    @readonly
    async def iterate_later(self) -> AsyncIterator[T]:
        yield self.thing

    @contextmanager
    @readonly
    def held(self) -> Generator[T]:
        yield self.thing

    # Descriptors: the mark below

    @property
    @readonly
    def front(self) -> T:
        return self.thing

    @front.setter
    @abort_exception
    def front(self, thing: T) -> None:
        self.thing = thing

    @property
    @readonly
    def back(self) -> T:
        return self.thing

    @functools.cached_property
    @readonly
    def cached(self) -> T:
        return self.thing

    @staticmethod
    @readonly
    def static(number: int) -> str:
        return str(number)

    @classmethod
    @readonly
    def of_class(cls, number: int) -> str:
        return cls.__name__ * number

    @readonly
    def add_text(self, number: int, text: str) -> str:
        return text * number

    one = functools.partialmethod(add_text, 1)

    # Special methods

    @readonly
    def __call__(self, number: int) -> str:
        return str(number)

    @readonly
    def __len__(self) -> int:
        return 1

    @readonly
    def __getitem__(self, key: int) -> T:
        return self.thing

    @abort_exception
    def __setitem__(self, key: int, thing: T) -> None:
        self.thing = thing

    @readonly
    def __iter__(self) -> Iterator[T]:
        yield self.thing

    @readonly
    def __contains__(self, thing: object) -> bool:
        return thing is self.thing

    @readonly
    @override
    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = None  # type: ignore[assignment]

    @readonly
    def __add__(self, number: int) -> int:
        return number


def half(number: int, *, text: str) -> int:
    return number // 2 + len(text)


shelf = init_system(Shelf(1))

assert_type(shelf.positional(1, "a"), str)
assert_type(shelf.positional(1, text="a", raw=b""), str)
shelf.positional(number=1, text="a")  # error
shelf.positional(1, "a", b"")  # error
shelf.positional(1, 2)  # error
shelf.positional(1)  # error
assert_type(shelf.variable(1, 2, a="a"), int)
shelf.variable("a")  # error
shelf.variable(a=1)  # error
assert_type(shelf.defaults(), int | None)
assert_type(shelf.defaults(2, text="a"), int | None)
shelf.defaults(text=2)  # error
shelf.defaults(other=2)  # error
text: str = shelf.defaults()  # error

assert_type(shelf.get(), int)
assert_type(shelf.pick([1]), int)
assert_type(shelf.pick(["a"]), str)
shelf.pick([1.5])  # error
shelf.pick(3)  # error
assert_type(shelf.itself(), Shelf[int])
assert_type(shelf.map(str), list[str])
assert_type(shelf.call(half, 1, text="a"), int)
shelf.call(half, 1)  # error
shelf.call(half, "a", text="a")  # error
shelf.call(str, 1)  # error

assert_type(shelf.either(1), int)
assert_type(shelf.either("a", more=True), str)
shelf.either(1, more=True)  # error
shelf.either(b"a")  # error
assert_type(shelf.each(1), int)
assert_type(shelf.each("a"), str)
shelf.each(b"a")  # error

assert_type(list(shelf.iterate(2)), list[int])
shelf.iterate("a")  # error
with shelf.held() as held:
    assert_type(held, int)


async def wait_for_all() -> None:
    assert_type(await shelf.wait(1), int)
    await shelf.wait("a")  # error
    async for each in shelf.iterate_later():
        assert_type(each, int)


assert_type(shelf.front, int)
assert_type(shelf.back, int)
assert_type(shelf.cached, int)
shelf.front = 2
shelf.front = "a"  # error
shelf.back = 2  # error
shelf.front()  # error
assert_type(shelf.static(1), str)
assert_type(Shelf[int].static(1), str)
assert_type(shelf.of_class(1), str)
assert_type(Shelf[int].of_class(1), str)
shelf.static("a")  # error
shelf.of_class("a")  # error
assert_type(shelf.one("a"), str)

assert_type(shelf(1), str)
assert_type(len(shelf), int)
assert_type(shelf[0], int)
assert_type(list(shelf), list[int])
assert_type(3 in shelf, bool)
assert_type(shelf == 3, bool)
assert_type(shelf + 1, int)
shelf[0] = 1
shelf("a")  # error
shelf["a"]  # error
shelf[0] = "a"  # error
shelf + "a"  # error

function: Callable[[int], str] = shelf
function = shelf.add_text  # error
of_both: Callable[[int, str], str] = shelf.add_text
print(shelf.get.__name__, Shelf[int].pick.__doc__)


# Inheritance


class Finds(Protocol):
    def find(self, name: str, /) -> int: ...


class Base(ABC):
    @readonly
    @abstractmethod
    def find(self, name: str) -> int: ...

    @abstractmethod
    @readonly
    def seek(self, name: str) -> int: ...

    @readonly
    def count(self, upto: int = 10) -> int:
        return upto

    @final
    @readonly
    def last(self) -> int:
        return 1


class Wiki(Base):
    @override
    @readonly
    def find(self, name: str) -> int:
        return len(name)

    @readonly
    @override
    def seek(self, name: str) -> int:
        return super().count(len(name))

    @override
    def count(self, upto: int = 10, more: int = 0) -> int:
        return super().count(upto) + more


class Wrong(Wiki):
    """Names of checkers: the others do not look through a decorator that has a ParamSpec. Nothing is reported that is right."""

    @readonly
    def find(self, name: int) -> int:  # error in mypy, pyright, pyrefly
        return name

    def count(self) -> int:  # error
        return super().count("a")  # error

    def last(self) -> int:  # error in mypy, pyright, pyrefly
        return 2

    @override
    @readonly
    def nowhere(self) -> int:  # error in mypy, pyrefly, ty
        return 1


wiki = init_system(Wiki)
finds: Finds = wiki
assert_type(wiki.find("a"), int)
assert_type(wiki.count(3), int)
assert_type(wiki.last(), int)
Base()  # error in mypy, pyright, pyrefly


# Misuse

readonly(3)  # error
unlocked("why")  # error
abort_exception(None)  # error
readonly()  # error
readonly(half, half)  # error


class Misused:
    @readonly()  # error
    def with_parentheses(self) -> int:
        return 1

    @abort_exception("why")  # error
    def with_an_argument(self) -> int:
        return 1

    @unlocked  # error in mypy, pyright, ty
    @property
    def above_a_property(self) -> int:
        return 1

    @readonly  # error in mypy, pyright, ty
    @functools.cached_property
    def above_a_cached_property(self) -> int:
        return 1

    constant = readonly(1)  # error

    # No checker sees these; the class statement raises UsageError.

    @readonly
    @staticmethod
    def above_a_static_method(number: int) -> int:
        return number

    @readonly
    @classmethod
    def above_a_class_method(cls) -> int:
        return 1
