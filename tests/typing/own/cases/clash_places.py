from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from typing import Any, Callable

from coopy import Clock, System, init_system, readonly


class ByProperty:
    @property
    def _clock(self) -> float:  # E: coopy-clash  # O: misc
        return time.time()

    @readonly
    def x(self) -> int:
        return 3


@dataclass
class ByField:
    _random: random.Random = field(default_factory=random.Random)  # E: coopy-clash

    @readonly
    def x(self) -> int:
        return 3


class ByTuple:
    def __init__(self) -> None:
        self._clock, self.x = 1, 2  # E: coopy-clash  # O: assignment

    @readonly
    def y(self) -> int:
        return self.x


class InMethod:
    def reset(self) -> None:
        self._random = random.Random(3)  # E: coopy-clash  # O: assignment

    @readonly
    def y(self) -> int:
        return 3


class Good:
    _clock: Clock

    @readonly
    def y(self) -> int:
        return self._clock.now().hour


class Parent:
    def __init__(self) -> None:
        self._clock = time.monotonic()  # O: coopy-clash


class Domain(Parent):
    def __init__(self) -> None:
        super().__init__()
        self.value = 1

    @readonly
    def y(self) -> int:
        return self.value


class Plain:
    _clock: float = 0.0  # E: coopy-clash


class Nested:
    class _random:  # E: coopy-clash
        pass

    @readonly
    def y(self) -> int:
        return 3


def factory() -> None:
    class Local:
        def __init__(self) -> None:
            self._clock = time.time  # E: coopy-clash  # O: assignment

        def add(self) -> None:
            return None

    init_system(Local())


def use(systems: list[System[Plain]]) -> None:
    print(systems)
