from __future__ import annotations

from dataclasses import dataclass, field

from coopy.decorators import abort_exception, readonly


@dataclass
class Animal:
    name: str
    meals: list[str] = field(default_factory=list)
    keeper: Keeper | None = None

    def eat(self, what: str) -> None:
        self.meals.append(what)

    def title(self) -> str:
        return self.name.title()


@dataclass
class Keeper:
    name: str


class Zoo:
    cages: dict[str, Animal]
    day: int = 0

    def __init__(self) -> None:
        self.cages = {}

    def add(self, animal: Animal) -> None:
        self.cages[animal.name] = animal

    @abort_exception
    def feed(self, name: str, what: str) -> Animal:
        self.cages[name].eat(what)
        return self.cages[name]

    @readonly
    def get(self, name: str) -> Animal:
        return self.cages[name]

    @readonly
    def hungry(self) -> list[str]:
        return [animal.name for animal in self.cages.values() if not animal.meals]

    @readonly
    def wrong(self) -> int:
        self.day += 1  # E: coopy-readonly
        self.feed("x", "y")  # E: coopy-readonly
        return self.day

    def _count(self) -> int:
        return len(self.cages)
