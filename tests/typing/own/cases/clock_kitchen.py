from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from coopy import Replica, System, init_system, readonly

T = TypeVar("T")


@dataclass
class Dish:
    name: str
    at: dt.datetime


@dataclass
class Kitchen:
    dishes: list[Dish] = field(default_factory=list)

    def cook(self, name: str) -> Dish:
        dish = Dish(name, self._clock.now())  # P: attr-defined
        self.dishes.append(dish)
        return dish

    def shuffle(self) -> None:
        self._random.shuffle(self.dishes)  # P: attr-defined

    @readonly
    def age(self, dish: Dish) -> dt.timedelta:
        reveal_type(self._clock.now())  # P: attr-defined  # R: datetime
        return dt.datetime(2020, 1, 1) - dish.at


class Base:
    def stamp(self) -> dt.date:
        return dt.date(2020, 1, 1)


class Menu(Base):
    @readonly
    def today(self) -> str:
        return f"{self._clock.today()} {self._random.random():.2f}"  # P: attr-defined

    def lucky(self) -> list[int]:
        return [self._random.randint(1, 6) for _ in range(3)]  # P: attr-defined


class Special(Menu):
    def name(self) -> str:
        return str(self._clock.time())  # P: attr-defined


class Jar(Generic[T]):
    def __init__(self, things: list[T]) -> None:
        self.things = things

    def pick(self) -> T:
        thing: T = self._random.choice(self.things)  # P: attr-defined
        return thing

    @readonly
    def size(self) -> int:
        return len(self.things)


class Declared:
    from coopy import Clock

    _clock: Clock

    def time(self) -> float:
        return self._clock.time()


class Waiter:
    def ask(self) -> str:
        return str(self._clock.now())  # E: attr-defined

    def roll(self) -> int:
        return int(self._random.random())  # E: attr-defined


def serve(kitchen: System[Kitchen], mirror: Replica[Menu]) -> str:
    kitchen.cook("soup")
    kitchen.shuffle()
    return mirror.today()


jar = init_system(Jar[str](["a"]))
reveal_type(jar.pick())  # R: str
init_system(Declared())
