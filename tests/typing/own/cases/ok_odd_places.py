from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import coopy
from coopy import Clock, Random, System, init_system, readonly

T = TypeVar("T")


def local_domain() -> int:
    class Counter:
        def __init__(self) -> None:
            self.value = 0
            self.times: list[dt.datetime] = []

        def tick(self) -> int:
            self.value += 1
            self.times.append(self._clock.now())  # P: attr-defined
            return self.value

        @readonly
        def now(self) -> dt.datetime:
            return self._clock.now()  # P: attr-defined, no-any-return

    counter = init_system(Counter())
    counter.tick()
    counter.value = 3  # E: coopy-set
    return counter.tick()


class Outer:
    class Inner:
        def __init__(self) -> None:
            self.rolls: list[int] = []

        def roll(self) -> int:
            number = self._random.randint(1, 6)  # P: attr-defined
            self.rolls.append(number)
            return len(self.rolls)

        @readonly
        def last(self) -> int:
            return self.rolls[-1]

    def __init__(self) -> None:
        self.inner = init_system(Outer.Inner())

    def work(self) -> int:
        self.inner = init_system(Outer.Inner(), "x")
        return self.inner.roll()


@dataclass
class Log:
    lines: list[str] = field(default_factory=list)
    level: int = 0

    def write(self, line: str) -> None:
        self.lines.append(f"{self._clock.now()} {line}")  # P: attr-defined

    @readonly
    def count(self) -> int:
        return len(self.lines)


@dataclass
class Declared:
    name: str = ""

    def __post_init__(self) -> None:
        self._clock: Clock

    @readonly
    def now(self) -> dt.datetime:
        return self._clock.now()


class Clocked(Protocol):
    _clock: Clock

    def now(self) -> dt.datetime: ...


class Slotted:
    __slots__ = ("rolls",)

    def __init__(self) -> None:
        self.rolls: list[int] = []

    def roll(self) -> None:
        self.rolls.append(coopy.random.randint(1, 6))

    @readonly
    def last(self) -> int:
        return self.rolls[-1]


class Timed(Generic[T]):
    def __init__(self) -> None:
        self.seen: dict[T, dt.datetime] = {}

    def see(self, thing: T) -> None:
        self.seen[thing] = self._clock.now()  # P: attr-defined

    @readonly
    def when(self, thing: T) -> dt.datetime:
        return self.seen[thing]


class Child(Timed[str]):
    def see_all(self, things: list[str]) -> None:
        for thing in things:
            self.see(thing)
            reveal_type(self._clock.now())  # P: attr-defined  # R: datetime


class Optional_:
    _clock: Clock | None = None  # O: coopy-clash

    @readonly
    def now(self) -> dt.datetime | None:
        return self._clock.now() if self._clock else None


class TypedInit:
    def __init__(self) -> None:
        self._clock: Clock = coopy.Clock() if False else _clock_of()
        self._random: Random

    @readonly
    def now(self) -> dt.datetime:
        return self._clock.now()


def _clock_of() -> Clock:
    raise NotImplementedError


class FakeClock(Clock):
    pass


class WithFake:
    _clock: FakeClock

    @readonly
    def now(self) -> dt.datetime:
        return self._clock.now()


class NotDomain:
    _clock = 3
    _random = "x"


class AlsoNot(NotDomain):
    def work(self) -> int:
        return self._clock


class SlottedAll:
    __slots__ = ("_clock", "value")
    _clock: Clock

    def __init__(self) -> None:
        self.value = 1

    @readonly
    def now(self) -> dt.datetime:
        return self._clock.now()


log = init_system(Log())
log.write("x")
log = init_system(Log([], 3))
child = init_system(Child)
child.see_all(["x"])
reveal_type(init_system(Declared("x")).now())  # R: datetime


def main(logs: System[Log]) -> None:
    logs.write("x")
    fresh = Log()
    fresh.level = 3
    fresh.lines.append("x")
    Log(lines=["x"], level=3).lines.clear()
