from __future__ import annotations

import abc
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from coopy import System, init_system, readonly, unlocked

T = TypeVar("T")


class Animal(abc.ABC):
    def __init__(self, name: str) -> None:
        self.name = name
        self.fed = 0
        self._tag = ""

    @abc.abstractmethod
    def sound(self) -> str: ...

    @property
    def tag(self) -> str:
        return self._tag

    @tag.setter
    def tag(self, value: str) -> None:
        self._tag = value


class Cow(Animal):
    milk = 0

    def sound(self) -> str:
        return "moo"


@dataclass
class Pen(Generic[T]):
    content: list[T] = field(default_factory=list)
    best: T | None = None
    notes: dict[str, Any] = field(default_factory=dict)


class Farm:
    def __init__(self) -> None:
        self.cows: Pen[Cow] = Pen()
        self.animals: dict[str, Animal] = {}
        self.pens: dict[str, Pen[Animal]] = {}

    def add(self, cow: Cow) -> Cow:
        self.cows.content.append(cow)
        return cow

    @readonly
    def cow(self, number: int) -> Cow:
        return self.cows.content[number]

    @unlocked
    @readonly
    def animal(self, name: str, default: Animal | None = None) -> Animal | None:
        return self.animals.get(name, default)

    @property
    def first(self) -> Animal:
        return self.cow(0)

    @readonly
    def pair(self) -> tuple[Cow, Animal]:
        return self.cow(0), self.first

    @readonly
    def count(self) -> int:
        return len(self.animals)


farm = init_system(Farm)
farm.cows.content[0].milk = 3  # E: coopy-mutate
farm.cows.best = Cow("b")  # E: coopy-mutate
farm.cows.notes["x"] = 3  # E: coopy-mutate
farm.cow(0).milk += 1  # E: coopy-mutate
farm.cow(0).tag = "x"  # E: coopy-mutate
farm.first.name = "x"  # E: coopy-mutate
farm.first.fed, other = 3, 4  # E: coopy-mutate
del farm.first.name  # E: coopy-mutate
farm.pens["a"].content.append(Cow("x"))  # E: coopy-mutate
farm.pens["a"].best = Cow("x")  # E: coopy-mutate
cow, animal = farm.pair()
cow.milk = 1  # E: coopy-mutate
animal.name = "y"  # E: coopy-mutate
farm.pair()[0].milk = 2  # E: coopy-mutate
if (best := farm.cows.best) is not None:
    best.milk = 4  # E: coopy-mutate
found = farm.animal("a")
if isinstance(found, Cow):
    found.milk = 5  # E: coopy-mutate
assert found
found.fed = 6  # E: coopy-mutate
(farm.animal("b") or farm.first).fed = 1  # E: coopy-mutate
print(found.sound(), farm.first.tag, farm.count() + 1, f"{farm.cow(0).milk:3}")
other += farm.first.fed

mine = Cow("mine")
mine.milk = 3
farm.add(mine)
mine.milk = 4
mine.tag = "still mine"
pen: Pen[Cow] = Pen()
pen.content.append(mine)
pen.best = mine
pen.best.milk = 4
pen.notes["y"] = farm.count()


def milk(cow: Cow) -> int:
    cow.milk -= 1
    return cow.milk


class Robot:
    def __init__(self, farm: System[Farm], spare: Cow) -> None:
        self.farm = farm
        self.cow = farm.cow(3)
        self.spare = spare
        self.pen: Pen[Cow] = Pen()

    def run(self) -> None:
        self.cow.milk = 3  # E: coopy-mutate
        self.spare.milk = 3
        self.pen.best = self.spare
        self.pen.content.append(Cow("x"))
        self.farm.cows.content.sort(key=lambda cow: cow.milk)  # E: coopy-mutate
        milk(self.cow)


reveal_type(farm.cow(0))  # R: Cow
reveal_type(Robot(farm, mine).cow)  # R: Cow
