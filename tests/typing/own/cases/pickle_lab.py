from __future__ import annotations

import contextlib
import io
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import Any, Generic, TypeVar
from uuid import UUID, uuid4

from coopy import System, init_system, readonly

T = TypeVar("T")


@dataclass
class Sample:
    name: str
    test: Callable[[float], bool] | None = None


class Base:
    def put(self, *samples: object, **options: object) -> None:
        print(samples, options)


class Lab(Base):
    def __init__(self) -> None:
        self.values: list[object] = []

    def run(self, test: Callable[[float], float], *, at: object = None) -> float:
        return test(3)

    def many(self, values: Iterator[float] | list[float]) -> None:
        self.values.extend(values)

    def __setitem__(self, name: str, value: object) -> None:
        self.values.append(value)

    def __call__(self, value: object) -> None:
        self.values.append(value)

    @readonly
    def best(self, key: Callable[[object], float]) -> object:
        return max(self.values, key=key)


class Shelf(Generic[T]):
    def put(self, thing: T) -> T:
        return thing


def square(number: float) -> float:
    return number * number


def stream(limit: int) -> Iterator[float]:
    for number in range(limit):
        yield number


async def pulses() -> AsyncIterator[int]:
    yield 3


async def pulse() -> int:
    return 3


lab = init_system(Lab(), "data/lab")
lab.run(lambda number: number + 1)  # E: coopy-pickle
lab.run(square, at=lambda: 3)  # E: coopy-pickle
lab.run(test=lambda number: number)  # E: coopy-pickle
lab.many(value * 2 for value in (1.0, 2.0))  # E: coopy-pickle
lab.put(sys, name="x")  # E: coopy-pickle
lab.put(1, 2, file=open(os.devnull))  # E: coopy-pickle
lab.put(pulse())  # E: coopy-pickle
lab.put(threading.Lock())  # E: coopy-pickle
lab["x"] = lambda: 3  # E: coopy-pickle
lab["y"] = (n for n in range(3))  # E: coopy-pickle
lab.run(square)
lab.run(abs)
lab.run(partial(pow, 2))
lab.many(stream(3))
lab.many([value * 2 for value in (1.0, 2.0)])
lab.put(stream, Sample, Sample("a", None), UUID(int=3), uuid4(), Path.cwd(), datetime.now(timezone.utc))
lab.put(itemgetter(1), attrgetter("x"), range(3), slice(1, 2), 1j, ..., NotImplemented, None)
lab.put(frozenset({1}), memory=bytes(3), array=bytearray(3), kind=type(lab), error=ValueError("x"))
lab["z"] = stream
lab["z"] = [lab.best(key=lambda value: 3.0)]  # O: coopy-alias
print(lab.best(lambda value: float(str(value))))
with open(os.devnull) as null, contextlib.suppress(OSError):
    lab.put(null.name, null.fileno(), null.readline())
    lab.put(null)  # E: coopy-pickle
shelf = init_system(Shelf[object]())
shelf.put(threading.RLock())  # E: coopy-pickle
shelf.put("x")


def maybe(lab: System[Lab], plain: Lab, lock: threading.Lock | None, key: Callable[[float], float] = square) -> None:
    lab.run(key)
    lab.put(lock)
    if lock is not None:
        lab.put(lock)  # E: coopy-pickle
        lab.put(str(lock))
    plain.run(lambda number: number)
    plain.put(lock, sys)
    anything: Any = lock
    lab.put(anything)
    text: str | io.TextIOWrapper = "x"
    lab.put(text)
    process = subprocess.run(["true"], capture_output=True, check=False)
    lab.put(process.stdout, process.returncode, sqlite3.version_info)
    values = (number for number in range(3))
    lab.put(list(values))
    lab.put([*values], {*values}, tuple(values), sum(values))
    lab.put(values)  # E: coopy-pickle
