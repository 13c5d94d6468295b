from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager, ExitStack, suppress
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, cast, overload

from coopy import System, control, init_system, readonly

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)


def traced(function: Callable[P, R]) -> Callable[P, R]:
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        return function(*args, **kwargs)

    return wrapper


class Handler(Protocol[T_contra]):
    last: str

    def handle(self, thing: T_contra) -> None: ...


class Plugin(ABC):
    registry: dict[str, type[Plugin]] = {}
    name = "plugin"

    def __init_subclass__(cls) -> None:
        Plugin.registry[cls.name] = cls

    @abstractmethod
    def run(self, text: str) -> str: ...


class Upper(Plugin):
    name = "upper"

    def __init__(self) -> None:
        self.calls = 0

    def run(self, text: str) -> str:
        self.calls += 1
        return text.upper()


class Registry(Generic[T]):
    last = ""

    def __init__(self) -> None:
        self.things: dict[str, T] = {}
        self.hooks: list[str] = []

    @traced
    def register(self, name: str, thing: T) -> T:
        self.things[name] = thing
        return thing

    def handle(self, thing: T) -> None:
        self.things[str(thing)] = thing

    @overload
    def find(self, name: str) -> T: ...
    @overload
    def find(self, name: str, default: R) -> T | R: ...
    @readonly
    def find(self, name: str, default: Any = None) -> Any:
        return self.things.get(name, default)

    @readonly
    def visit(self, visitor: Callable[[T], R]) -> list[R]:
        return [visitor(thing) for thing in self.things.values()]


def set_last(handler: Handler[str]) -> None:
    handler.last = "x"
    handler.handle("x")


def generic_identity(thing: T) -> T:
    return thing


def same(thing: T) -> T:
    thing2 = thing
    return thing2


class Cache(MutableMapping[str, int]):
    def __init__(self, registry: System[Registry[str]]) -> None:
        self._registry = registry
        self._own: dict[str, int] = {}

    def __getitem__(self, key: str) -> int:
        return self._own[key]

    def __setitem__(self, key: str, value: int) -> None:
        self._own[key] = value
        self._registry.register(key, str(value))

    def __delitem__(self, key: str) -> None:
        del self._own[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._own)

    def __len__(self) -> int:
        return len(self._own)


@contextmanager
def opened(path: str) -> Iterator[System[Registry[str]]]:
    registry = init_system(Registry[str](), path)
    try:
        yield registry
    finally:
        control(registry).close()


registry = init_system(Registry[str]())
registry.register("a", "b")
registry.find("x")
set_last(registry)
registry.find("x", 3)
reveal_type(registry.find("x", 3))  # R: str | int
reveal_type(registry.visit(len))  # R: list[int]
lengths = registry.visit(len)
lengths.append(3)
raw = cast(Any, registry)
raw.last = "x"
plain = cast(Registry[str], registry)  # O: redundant-cast
plain.last = "y"
plain.things["x"] = "y"
plugins: list[Plugin] = []
with ExitStack() as stack:
    one = stack.enter_context(opened("a"))
    one.register("x", "y")
    stack.callback(registry.handle, "x")
with suppress(KeyError), opened("b") as two:
    two.register("x", two.find("x"))
cache = Cache(registry)
cache["x"] = 3
cache.update(a=3)
del cache["x"]
cache.pop("y", None)
upper = Upper()
upper.calls = 3
upper.name = "other"
uppers = init_system(Registry[Upper]())
uppers.register("x", Upper())
uppers.register("y", upper)
upper.calls += 1
holder: Registry[Upper] = uppers
holder.things.clear()  # O: coopy-mutate
anything: object = uppers
if isinstance(anything, Registry):
    anything.last = "z"  # O: coopy-set
