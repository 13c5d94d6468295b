from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from coopy import Replica, System, abort_exception, control, init_system, readonly, unlocked


@dataclass
class Stop:
    name: str
    lines: list[int] = field(default_factory=list)


class Tram:
    limit = 3

    def __init__(self) -> None:
        self.stops: dict[str, Stop] = {}
        self._delay = 0

    def add(self, name: str) -> Stop:
        self.stops[name] = Stop(name)
        return self.stops[name]

    def add_all(self, *names: str, line: int = 0) -> None:
        for name in names:
            self.add(name).lines.append(line)

    @abort_exception
    def remove(self, name: str) -> None:
        del self.stops[name]

    @readonly
    def stop(self, name: str) -> Stop:
        return self.stops[name]

    @property
    def delay(self) -> int:
        return self._delay

    @delay.setter
    def delay(self, value: int) -> None:
        self._delay = value

    @staticmethod
    def parse(text: str) -> int:
        return int(text)

    @classmethod
    def kinds(cls) -> list[str]:
        return [cls.__name__]

    @unlocked
    @readonly
    def names(self) -> list[str]:
        return sorted(self.stops)

    def __getitem__(self, name: str) -> Stop:
        return self.stops[name]

    def __setitem__(self, name: str, stop: Stop) -> None:
        self.stops[name] = stop

    def __delitem__(self, name: str) -> None:
        del self.stops[name]

    def __len__(self) -> int:
        return len(self.stops)

    def __iter__(self) -> Iterator[str]:
        return iter(self.stops)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tram) and other.stops == self.stops


tram = init_system(Tram(), "data/tram", replication=True)
tram.add("a").lines.append(3)  # E: coopy-replica, coopy-mutate
tram.add_all("a", "b", line=3)  # E: coopy-replica
tram.remove("a")  # E: coopy-replica
tram["a"] = Stop("a")  # E: coopy-replica
del tram["a"]  # E: coopy-replica
tram.delay = 3  # E: coopy-replica
tram.delay += 3  # E: coopy-replica
tram.limit = 4  # E: coopy-set
tram.stop("a").name = "b"  # E: coopy-mutate
tram["a"].lines.append(4)  # E: coopy-mutate
print(tram["a"].name, len(tram), list(tram), tram.delay, tram.names(), tram == tram, "a" in tram, tram.limit)
print(tram.parse("3"), tram.kinds(), tram.stop("a").lines[0])
names = tram.names()
names.append("own")

primary = init_system(Tram(), "data/primary")
primary.delay = 3
primary.delay += 1
primary["a"] = Stop("a")
del primary["a"]
primary.add_all("x")
primary.parse("3")

past = control(primary).at(5)
reveal_type(past)  # R: Tram
past.add_all("x")  # E: coopy-replica
past.delay = 3  # E: coopy-replica
past.stop("a").lines.append(4)  # E: coopy-mutate
print(past.names(), past["a"].name, control(past).lsn, control(past).at(3).delay)
control(past).at(3).remove("a")  # E: coopy-replica


class Screen:
    tram: Replica[Tram]

    def __init__(self, path: str) -> None:
        self.tram = init_system(Tram, path, replication=True)
        self.shown: dict[str, Replica[Tram]] = {path: self.tram}
        self.delay = 0

    def refresh(self) -> str:
        self.delay = self.tram.delay
        self.tram.add("x")  # E: coopy-replica
        for path, tram in self.shown.items():
            tram.remove(path)  # E: coopy-replica
        self.shown["x"].add("y")  # E: coopy-replica
        return ", ".join(self.tram.names())


def follow(*, follower: Replica[Tram], leader: System[Tram], either: Replica[Tram] | System[Tram]) -> None:
    leader.add(follower.stop("a").name)
    follower.add(leader.stop("a").name)  # E: coopy-replica
    either.add("x")  # O: coopy-replica
    either.names()
    follower = leader
    follower.add("z")  # O: coopy-replica


def plain(tram: Tram) -> None:
    tram.add("x")
    tram["x"] = Stop("x")
    tram.delay = 4


@contextmanager
def opened(path: str) -> Iterator[Tram]:
    yield init_system(Tram, path, replication=True)


with opened("x") as inner:
    inner.add("x")  # O: coopy-replica
plain(tram)
reveal_type(tram.add("a"))  # E: coopy-replica  # R: Stop
