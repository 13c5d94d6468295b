from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from coopy import System, View, init_system, readonly


@dataclass
class Trip:
    port: str
    cars: list[str] = field(default_factory=list)


class Ferry:
    def __init__(self) -> None:
        self.trips: list[Trip] = []
        self.captain = ""

    def sail(self, port: str) -> Trip:
        self.trips.append(Trip(port))
        return self.trips[-1]

    @readonly
    def current(self) -> Trip:
        return self.trips[-1]


def outer(path: str) -> Callable[[], None]:
    ferry = init_system(Ferry(), path)
    trip = ferry.current()

    def rename() -> None:
        trip.port = "x"  # E: coopy-mutate
        ferry.captain = "y"  # E: coopy-set

        def deeper() -> None:
            trip.cars.append("z")  # E: coopy-mutate
            ferry.sail("z")

        deeper()

    def shadow(ferry: Ferry, trip: Trip) -> None:
        ferry.captain = "plain"
        trip.port = "plain"

    def local() -> Trip:
        trip = Trip("own")
        trip.cars.append("mine")
        return trip

    shadow(Ferry(), local())
    local().port = "again"
    return rename


class Harbour:
    def __init__(self, ferry: System[Ferry]) -> None:
        self.ferry = ferry
        self.listeners: list[Callable[[str], Trip]] = [ferry.sail]

    def on_key(self, key: str) -> Callable[[], str]:
        last = self.ferry.current()

        @functools.wraps(self.on_key)
        def handler() -> str:
            self.ferry.captain = key  # E: coopy-set
            last.cars.clear()  # E: coopy-mutate
            self.listeners.append(lambda port: self.ferry.sail(port))
            return last.port

        return handler

    def ports(self) -> Iterator[str]:
        yield from (trip.port for trip in self.ferry.trips)
        for trip in self.ferry.trips:
            yield trip.port
            trip.port = ""  # E: coopy-mutate


def each(function: Callable[[Trip], object]) -> None:
    own = [Trip("a"), Trip("b")]
    for trip in own:
        trip.port += "!"
        function(trip)


def shown(trip: View[Trip]) -> Callable[[str], None]:
    def show(prefix: str) -> None:
        cars = trip.cars
        print(prefix, cars)
        cars = [*cars, "x"]
        cars.append("y")
        trip.cars.append("z")  # E: coopy-mutate

    return show


each(lambda trip: trip.cars.append("own"))
counter = 0


def count() -> int:
    global counter
    counter += 1
    return counter


ferry: System[Ferry] | None = None


def get() -> System[Ferry]:
    global ferry
    if ferry is None:
        ferry = init_system(Ferry())
        ferry.captain = "a"  # E: coopy-set
    return ferry


get().current().port = "x"  # E: coopy-mutate
