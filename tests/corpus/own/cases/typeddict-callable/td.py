import time
from dataclasses import dataclass
from typing import Callable, NamedTuple, TypedDict
from collections import namedtuple

Spec = namedtuple("Spec", "name fn")


class Row(NamedTuple):
    label: str
    make: Callable[[], float]


class Opts(TypedDict):
    clock: Callable[[], float]


@dataclass
class Conf:
    now: Callable[[], float] = time.perf_counter


SPECS = [Spec("a", time.time)]
ROW = Row("m", make=time.monotonic)
OPTS: Opts = {"clock": time.time_ns}


class App:
    def __init__(self):
        self.out = []

    def a(self):
        for spec in SPECS:
            self.out.append(spec.fn())

    def b(self):
        label, make = ROW
        self.out.append(make())

    def c(self):
        self.out.append(OPTS["clock"]())

    def d(self):
        self.out.append(Conf().now())
