from __future__ import annotations

import random as chance
import time
from dataclasses import dataclass, field
from typing import Any, ClassVar

from coopy import Clock, Random, Replica, System, abort_exception, init_system, readonly, unlocked


class Good:
    _clock: Clock
    _random: Random

    def measure(self) -> float:
        return self._random.random() + self._clock.time()


@dataclass
class Mast:
    height: int
    _clock: float = 0.0  # E: coopy-clash

    def raise_(self) -> None:
        self.height += int(self._clock)


class Buoy:
    @property
    def _random(self) -> int:  # E: coopy-clash
        return 4

    @abort_exception
    def drift(self) -> int:
        return self._random


class Vane:
    _clock = time.monotonic()  # E: coopy-clash

    @unlocked
    @readonly
    def angle(self) -> float:
        return self._clock


class Child(Vane):
    def turn(self) -> float:
        return self.angle()


class Balloon:
    def __init__(self) -> None:
        self.height = 0

    def launch(self) -> None:
        self._random = chance.Random(3)  # E: coopy-clash  # O: assignment
        self.height += 1


class Helper:
    _clock = 3
    _random: ClassVar[list[int]] = []

    def __init__(self) -> None:
        self._clock = 4

    def tick(self) -> int:
        self._clock += 1
        return self._clock


class Sensor:
    def __init__(self, clock: Clock, values: Any = None) -> None:
        self._clock = clock
        self.clock = time.time()
        self._random_seed = 3
        self.random = chance.Random()

    def read(self) -> float:
        _clock = time.time()
        _random = 3
        return _clock + _random + self.clock


@dataclass
class Station:
    names: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        helper = Helper()
        helper._clock = 4
        self.names.append(name)


balloon = init_system(Balloon())
balloon.launch()
sensor = init_system(Sensor)
station = init_system(Station(), "data")


def watch(good: System[Good], mast: Replica[Mast]) -> float:
    return good.measure() + mast.height
