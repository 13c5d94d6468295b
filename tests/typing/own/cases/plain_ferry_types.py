from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any, Generic, Literal, TypeVar, overload

from coopy import Clock, Random, Replica, System, View, abort_exception, clock, control, init_system, random, readonly, unlocked

T = TypeVar("T")


class Crate(Generic[T]):
    def __init__(self, things: list[T] | None = None) -> None:
        self.things = things or []

    def put(self, thing: T, /, *, twice: bool = False) -> int:
        self.things.append(thing)
        return len(self.things)

    @readonly
    def first(self, default: T) -> T:
        return self.things[0] if self.things else default

    @readonly
    @contextmanager
    def open(self) -> Iterator[list[T]]:
        yield list(self.things)

    @overload
    def take(self, count: None = None) -> T: ...
    @overload
    def take(self, count: int) -> list[T]: ...
    @abort_exception
    def take(self, count: int | None = None) -> T | list[T]:
        return self.things.pop() if count is None else [self.things.pop() for _ in range(count)]

    @unlocked
    @readonly
    async def wait(self, kind: Literal["a", "b"] = "a") -> str:
        return kind

    @property
    @readonly
    def size(self) -> int:
        return len(self.things)

    @staticmethod
    @readonly
    def kind() -> str:
        return "crate"


crate = init_system(Crate[int]())
other = init_system(Crate[str])
reveal_type(crate)  # R: Crate[int]
reveal_type(other)  # R: Crate[str]
reveal_type(crate.put(3))  # R: int
reveal_type(crate.first(3))  # R: int
reveal_type(crate.take())  # R: int
reveal_type(crate.take(3))  # R: list[int]
reveal_type(crate.size)  # R: int
reveal_type(crate.kind())  # R: str
reveal_type(clock.now().year)  # R: int
reveal_type(random.choice([1]))  # R: int
with crate.open() as things:
    reveal_type(things)  # R: list[int]
    things.append(3)  # O: coopy-mutate
crate.put("x")  # E: arg-type
crate.put(thing=3)  # E: call-arg
crate.put(3, True)  # E: misc | call-arg
crate.put(3, twice="x")  # E: arg-type
crate.missing()  # E: attr-defined
other.first(3)  # E: arg-type
crate.take("x")  # E: call-overload
init_system()  # E: call-overload
init_system(Crate[int](), basedir=3, nothing=4)  # E: call-overload
init_system(Crate[int](), replication="x")  # E: call-overload


async def use(system: System[Crate[str]], mirror: Replica[Crate[int]], view: View[list[int]]) -> str:
    reveal_type(system)  # R: Crate[str]
    reveal_type(mirror.first(3))  # R: int
    reveal_type(view)  # R: list[int]
    system.put(3)  # E: arg-type
    await system.wait("c")  # E: arg-type
    view.append(3)  # E: coopy-mutate
    mirror.put(3)  # E: coopy-replica
    control(system).lsn + 1
    return await system.wait("b")


def generic(thing: T) -> T:
    return init_system(thing)


use(crate, mirror=crate, view=[])  # E: arg-type, unused-coroutine
