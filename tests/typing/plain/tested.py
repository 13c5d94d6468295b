"""`coopy.testing`: proxies have the domain's type, whichever way they come."""

from __future__ import annotations

from datetime import timedelta
from typing import assert_type

from coopy.testing import Call, MovableClock, Opening, Systems, assert_replayable, assert_survives_crashes, crash, restart


class Bakery:
    def __init__(self) -> None:
        self.loaves = 0

    def bake(self, loaves: int) -> int:
        self.loaves += loaves
        return self.loaves


def test_restarts(coopy_system: Systems, coopy_clock: MovableClock) -> None:
    bakery = coopy_system(Bakery, "mine", durability="sync")
    assert_type(bakery, Bakery)
    assert_type(coopy_system(Bakery()), Bakery)
    assert_type(coopy_system.restart(bakery), Bakery)
    assert_type(coopy_system.crash(bakery), Bakery)
    assert_type(crash(restart(bakery), "copy"), Bakery)
    coopy_clock.move(timedelta(days=1))
    coopy_clock.move(3)  # error


def scenario(open_system: Opening) -> None:
    bakery = open_system(Bakery)
    assert_type(bakery, Bakery)
    assert_type(open_system(Bakery(), "other").bake(3), int)
    bakery.eat()  # error


def use(bakery: Bakery) -> None:
    bakery.bake(1)


def test_assertions() -> None:
    assert_replayable(Bakery, [Call("bake", 3), Call("bake", loaves=4)])
    assert_replayable(Bakery, use)
    assert_replayable(Bakery(), use)
    assert_replayable(Bakery, lambda bakery: bakery.bake(1))  # error in pyrefly
    assert_survives_crashes(scenario, check=use, points=10)
    assert_replayable(Bakery, ["bake"])  # error
    assert_survives_crashes(use)  # error
