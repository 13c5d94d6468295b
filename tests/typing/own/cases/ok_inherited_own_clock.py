from __future__ import annotations
import time
from coopy import init_system, readonly, System
class Timed:
    def __init__(self) -> None:
        self._clock = time.monotonic  # O: coopy-clash
    def elapsed(self) -> float:
        return self._clock()
class B(Timed):
    @readonly
    def x(self) -> float:
        return self._clock() + 1.0
class Rand:
    def __init__(self) -> None:
        self._random: list[int] = []  # O: coopy-clash
class C(Rand):
    def go(self) -> None:
        self._random.append(3)
init_system(C())
