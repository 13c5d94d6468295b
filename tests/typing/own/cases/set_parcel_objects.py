from __future__ import annotations

import contextlib
import functools
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Final, NewType, Optional, cast

from coopy import System, control, init_system, readonly

Code = NewType("Code", str)


class Depot:
    def __init__(self, city: str = "") -> None:
        self.city = city
        self.parcels: dict[Code, str] = {}
        self.busy: bool = False

    def receive(self, code: Code, what: str) -> bool:
        self.parcels[code] = what
        return self.busy

    @readonly
    def what(self, code: Code) -> str:
        return self.parcels[code]


class Courier:
    default: ClassVar[System[Depot]] = init_system(Depot("default"))
    home: Final[System[Depot]]
    spare: Optional[System[Depot]]
    own: Depot

    def __init__(self, home: System[Depot], own: Depot) -> None:
        self.home = home
        self.spare = None
        self.own = own
        self.guessed = self.home
        self.visited = {"home": self.home}
        self.busy = False
        self.city: str = home.city

    def work(self) -> None:
        self.home.busy = True  # E: coopy-set
        self.default.busy = True  # E: coopy-set
        Courier.default.busy = True  # E: coopy-set
        self.guessed.busy = True  # E: coopy-set
        self.visited["home"].busy = True  # E: coopy-set
        self.own.busy = True
        self.own.parcels.clear()
        self.busy = self.home.busy
        self.city = self.city.upper()
        if self.spare is not None:
            self.spare.city = "x"  # E: coopy-set
        with contextlib.suppress(AttributeError):
            self.home.city = self.city  # E: coopy-set
        self.spare = self.home
        self.spare.city = "y"  # E: coopy-set

    @functools.cached_property
    def far(self) -> System[Depot]:
        return init_system(Depot("far"), "far")

    @property
    def near(self) -> Depot:
        return self.home

    def depots(self) -> Iterator[System[Depot]]:
        yield self.home
        yield self.far

    def __iter__(self) -> Iterator[Depot]:
        yield Depot("own")


class Boss(Courier):
    def work(self) -> None:
        super().work()
        self.home.busy = False  # E: coopy-set
        self.own = Depot("boss")
        self.own.city = "boss"
        self.far.city = "far"  # E: coopy-set
        self.near.city = "plain by its annotation"


@dataclass
class Plan:
    depot: System[Depot]
    steps: list[str] = field(default_factory=list)
    copy: Depot = field(default_factory=Depot)
    by_code: dict[Code, System[Depot]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.depot.busy = True  # E: coopy-set
        self.copy.busy = True
        self.steps.append("start")
        for code, depot in self.by_code.items():
            depot.city = code  # E: coopy-set
            depot.parcels[code] = "x"  # E: coopy-mutate


courier = Courier(init_system(Depot("a"), "a"), Depot("b"))
courier.home.busy = False  # E: coopy-set
courier.own.busy = False
courier.near.busy = False
courier.far.busy = False  # E: coopy-set
courier.busy = True
for depot in courier.depots():
    depot.city = "x"  # E: coopy-set
for depot in courier:
    depot.city = "x"
for one, other in zip(courier.depots(), courier):
    one.city = "x"  # E: coopy-set
    other.city = "x"
cast(Depot, courier.home).city = "said so"  # E: redundant-cast
plan = Plan(courier.home)
plan.depot.city = "x"  # E: coopy-set
plan.copy.city = "x"
plan.steps[0] = plan.depot.city
plan.copy = Depot("again")
reference = weakref.ref(courier)
if (alive := reference()) is not None:
    alive.home.city = "y"  # E: coopy-set
    alive.own.city = "y"
lookup = {"a": courier.home, "b": courier.far}
lookup["a"].city = "z"  # O: coopy-set
lookup.get("a", courier.home).city = "z"  # O: coopy-set
first = next(iter(lookup.values()))
first.city = "z"  # O: coopy-set
smallest = min(lookup.values(), key=lambda depot: len(depot.parcels))
smallest.city = "z"  # O: coopy-set
control(courier.home).close()
