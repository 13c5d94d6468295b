from __future__ import annotations
import copy
from collections.abc import Iterable
from dataclasses import dataclass, field
from coopy import Replica, System, View, init_system, readonly

@dataclass
class Boat:
    name: str
    crew: list[str] = field(default_factory=list)
    speed: float = 0

class River:
    def __init__(self) -> None:
        self.boats: dict[str, Boat] = {}
        self.order: list[Boat] = []
        self.level = 3
    def add(self, boat: Boat) -> None: ...
    def add_all(self, boats: list[Boat]) -> None: ...
    @readonly
    def boat(self, name: str) -> Boat:
        return self.boats[name]
    @readonly
    def q(self) -> list[Boat]:
        boats = self.order
        boats = [copy.copy(b) for b in boats]
        boats[0].speed = 1
        for b in boats:
            b.speed = 1
        boat = self.boats["x"]
        boat = copy.copy(boat)
        found = [boat]
        found[0].speed = 3
        for boat in self.boats.values():
            boat = copy.deepcopy(boat)
            boat.speed = 1
            found.append(boat)
        for boat in found:
            boat.speed = 2
        return boats

def s1() -> None:
    river = init_system(River())
    print(river)
    river = River()
    rivers = [river]
    rivers[0].level = 3
    for r in rivers:
        r.level = 3
        r.order.append(Boat("x"))
    pair = (river, 3)
    pair[0].level = 4
    alias = river
    alias.level = 4
    alias.boats["x"] = Boat("x")
    river.order[0].speed = 3
    river.boat("x").speed = 3
    b = river.boat("x")
    b.speed = 3
    river.add(river.boat("y"))
def s2(river: System[River]) -> None:
    boat = river.boat("x")
    river.add(copy.copy(boat))
    boat = copy.deepcopy(boat)
    river.add(boat)
    river.add_all([boat])
    boats = [boat]
    river.add_all(boats)
    boats = river.order
    boats = [Boat("x")]
    river.add(boats[0])
    for b in boats:
        river.add(b)
    boat2 = boats[0]
    river.add(boat2)
def s3(r: Replica[River]) -> None:
    r = River()
    r.add(Boat("x")) # O: coopy-replica
def s4(river: System[River], own: Boat) -> None:
    boat = river.boat("x")
    boat = own
    edit(boat)
    boats = {boat.name: boat}
    boats["x"].crew.append("x")
    boats.get("x", own).speed = 3
    for n, b in boats.items():
        b.speed = 3
def edit(boat: Boat) -> None:
    boat.speed = 3
class App:
    def __init__(self) -> None:
        river = init_system(River())
        boat = river.boat("x")
        self.boat = copy.deepcopy(boat)
        self.last = boat
        self.last = Boat("x")
    def go(self) -> None:
        self.boat.speed = 3
        self.last.speed = 3  # O: coopy-mutate
def s5(river: System[River]) -> None:
    with open("x") as f:
        boat = river.boat(f.read())
    boat = Boat("x")
    def inner() -> None:
        boat.speed = 3
        [boat][0].speed = 3
    inner()
def s6(river: System[River]) -> None:
    total = {b.name: b for b in river.order}
    total = {}
    total["x"] = Boat("x")
    total["x"].speed = 3
    total = {"y": Boat("y")}
    for b in total.values():
        b.speed = 3
def s7(river: System[River], names: list[str]) -> None:
    boats: list[Boat] = []
    for b in river.order:
        boats.append(copy.copy(b))
    for b in boats:
        b.speed = 3
    boats = [b for b in boats if b.speed]
    boats[0].speed = 3
    groups: dict[str, list[Boat]] = {}
    for b in boats:
        groups.setdefault(b.name, []).append(b)
    for g in groups.values():
        g[0].speed = 3
    for name, g in groups.items():
        for b in g:
            b.speed = 3
def s8(river: System[River], names: list[str]) -> None:
    for boat in river.order:
        print(boat)
    for boat in [Boat(n) for n in names]:
        fleet = [boat]
        fleet[0].speed = 3
        crew = boat.crew
        crew.append("x")
        a, b = boat, boat
        a.speed = 3
    by = {boat.name: boat for boat in [Boat("x")]}
    by["x"].speed = 3
