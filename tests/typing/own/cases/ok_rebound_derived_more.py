from __future__ import annotations
import copy
from collections.abc import Iterable
from dataclasses import dataclass, field
from coopy import System, View, init_system, readonly

@dataclass
class Boat:
    name: str
    crew: list[str] = field(default_factory=list)
    speed: float = 0

class River:
    def __init__(self) -> None:
        self.boats: dict[str, Boat] = {}
        self.order: list[Boat] = []
    @readonly
    def boat(self, name: str) -> Boat:
        return self.boats[name]
    @readonly
    def dup(self, name: str) -> Boat:
        return copy.deepcopy(self.boats[name])

def f1(river: System[River]) -> None:
    boats = []
    boat = river.boat("x")
    boat = copy.deepcopy(boat)
    boats.append(boat)
    boats[0].speed = 1
    for b in boats:
        b.speed = 1
def f2(river: System[River]) -> None:
    boat = river.boat("x")
    boat = Boat("x")
    boats = [boat]
    boats[0].speed = 1
    for b in boats: b.speed = 3
    d = {"x": boat}
    d["x"].speed = 1
    other = boat
    other.speed = 4
    a, c = boat, 3
    a.speed = 4
    t = (boat, 1)
    t[0].speed = 4
def f3(river: System[River]) -> None:
    crews = {n: b.crew for n, b in river.boats.items()}
    crews = {n: list(crew) for n, crew in crews.items()}
    for crew in crews.values():
        crew.append("x")
    crews["x"].append("y")
    crews["x"] = []
def f4(river: System[River]) -> None:
    boats = list(river.boats.values())
    boats = [copy.deepcopy(b) for b in boats]
    boats[0].speed = 1
    for b in boats:
        b.speed = 1
def f5(river: System[River]) -> None:
    boats = river.order
    boats = [Boat("x")]
    boats[0].speed = 1
    boats.append(Boat("y"))
def f6(river: System[River], own: list[Boat]) -> None:
    boats = river.order
    print(boats)
    boats = own
    boats[0].speed = 1
    for b in boats: b.speed = 1
    boats = sorted(own, key=lambda b: b.speed)
    boats.pop().speed = 1
    x = boats[0]
    x.speed = 2
def f7(river: System[River], names: list[str]) -> None:
    for b in river.order: print(b)
    mine = [Boat(n) for n in names]
    for b in mine: b.speed = 1
    boat = river.boat("x")
    boat = Boat("x")
    river_boats = [boat for _ in names]
    river_boats[0].speed = 1
    boat.crew.append("x")
    crew = boat.crew
    crew.append("x")
    boat.crew = ["x"]
def f8(river: System[River]) -> list[Boat]:
    found = []
    for boat in river.order:
        boat = copy.copy(boat)
        boat.speed = 0
        found.append(boat)
    found[0].speed = 1
    found.sort(key=lambda b: b.speed)
    return found
def f9(river: System[River]) -> None:
    boat = river.boat("x")
    boat = river.dup("x")
    own = {"a": boat}
    own["a"].speed = 1
    def inner(b: Boat = boat) -> None:
        b.speed = 3
    crews = [boat.crew]
    crews[0].append("x")
    pair = boat, boat.crew
    pair[1].append("x")
    x, y = pair
    x.speed = 1
    y.append("x")
class H:
    def __init__(self, river: System[River]) -> None:
        boat = river.boat("x")
        boat = copy.deepcopy(boat)
        self.boat = boat
        self.crew = boat.crew
        self.all = [boat]
    def go(self) -> None:
        self.boat.speed = 1
        self.crew.append("x")
        self.all[0].speed = 1
def f10(river: System[River]) -> Boat:
    boat = river.boat("x")
    boat = copy.deepcopy(boat)
    river2 = init_system(River())
    river2.boats.get("x", boat)
    best = max([boat, Boat("y")], key=lambda b: b.speed)
    best.speed = 1
    e = next(iter([boat]))
    e.speed = 1
    return boat
