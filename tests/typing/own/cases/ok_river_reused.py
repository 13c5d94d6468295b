from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from coopy import System, View, init_system, readonly

T = TypeVar("T")


@dataclass
class Boat:
    name: str
    crew: list[str] = field(default_factory=list)
    speed: float = 0


class River:
    def __init__(self) -> None:
        self.boats: dict[str, Boat] = {}
        self.level = 0.0

    def launch(self, boat: Boat) -> None:
        self.boats[boat.name] = boat

    @readonly
    def boat(self, name: str) -> Boat:
        return self.boats[name]

    @readonly
    def maybe(self, name: str) -> Boat | None:
        return self.boats.get(name)


class Fleet:
    def __init__(self, river: System[River]) -> None:
        self.river = river
        self.boat: Boat = Boat("own")
        self.boats: list[Boat] = []
        self.level = 0.0

    def copy_all(self) -> None:
        for boat in self.river.boats.values():
            self.boats.append(copy.deepcopy(boat))
        for boat in self.boats:
            boat.speed = 3
            boat.crew.append("x")
        self.level = self.river.level
        self.boat = copy.deepcopy(self.river.boat("a"))
        self.boat.speed = 4
        self.boat.crew.clear()


def one(river: System[River]) -> Boat:
    boat = river.boat("a")
    print(boat.speed)
    boat = Boat(boat.name, list(boat.crew), boat.speed)
    boat.speed += 1
    boat.crew.append("x")
    return boat


def two(river: System[River], names: Iterable[str]) -> list[Boat]:
    boats = []
    for name in names:
        boat = river.maybe(name)
        if boat is None:
            boat = Boat(name)
            boat.crew.append("new")
            river.launch(boat)
            continue
        boat = copy.deepcopy(boat)
        boat.speed = 0
        boats.append(boat)
    for boat in boats:
        boat.speed = 1
    return boats


def three(river: System[River]) -> dict[str, list[str]]:
    crew = river.boat("a").crew
    crew = [name.upper() for name in crew]
    crew.sort()
    crews = {name: boat.crew for name, boat in river.boats.items()}
    crews = {name: list(crew) for name, crew in crews.items()}
    for crew in crews.values():
        crew.append("x")
    crews["z"] = []
    return crews


def four(river: System[River]) -> None:
    def boat(name: str) -> Boat:
        return Boat(name)

    boat("x").speed = 3
    level = river.level
    level += 3
    river_level = {"level": level}
    river_level["level"] = 4

    class River:
        level = 3

    other = River()
    other.level = 4


def five(river: System[River], boat: View[Boat]) -> Boat:
    print(boat.speed, river.level)
    boat = Boat("x")
    boat.speed = 3
    with open("x") as file:
        for line in file:
            boat = Boat(line)
            boat.crew.append(line)
    return boat


def six(river: System[River], make: Callable[[], T], use: Callable[[T], None]) -> T:
    thing = make()
    use(thing)
    items: list[Any] = [thing, river.level]
    items.append(3)
    del items[0]
    return thing


def seven(river: System[River]) -> None:
    boat: Boat | None = river.maybe("a")
    if boat is not None and boat.speed > 3:
        print(boat.name)
    boat = None
    for name in sys.argv:
        if boat is None:
            boat = Boat(name)
        boat.crew.append(name)
        boat.speed += 1
    try:
        boat = river.boat("z")
    except KeyError as error:
        boat = Boat(str(error))
        boat.speed = 1
    else:
        boat = copy.copy(boat)
        boat.speed = 2


boat = Boat("global")
boat.speed = 2
river = init_system(River())
river.launch(boat)
boat.speed = 3
boat.crew.append("y")
for boat in [Boat("a"), Boat("b")]:
    boat.speed = 4
lead, follow = Boat("l"), river.boat("f")
lead.speed = follow.speed
lead.crew = [*follow.crew]
lead.crew.append("x")
six(river, lambda: Boat("z"), lambda thing: thing.crew.append("y"))
