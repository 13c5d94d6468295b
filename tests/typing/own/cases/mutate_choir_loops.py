from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

from coopy import System, init_system, readonly


@dataclass
class Singer:
    name: str
    parts: list[str] = field(default_factory=list)
    age: int = 0


class Choir:
    def __init__(self) -> None:
        self.voices: dict[str, list[Singer]] = {}
        self.pairs: dict[tuple[str, str], Singer] = {}
        self.rows: list[list[Singer]] = []
        self.solo: Singer | None = None

    def join(self, voice: str, name: str) -> None:
        self.voices.setdefault(voice, []).append(Singer(name))

    @readonly
    def everybody(self) -> Iterator[Singer]:
        for singers in self.voices.values():
            yield from singers

    @readonly
    def named(self, name: str) -> list[Singer]:
        return [singer for singer in self.everybody() if singer.name == name]

    def __iter__(self) -> Iterator[Singer]:
        return self.everybody()

    def __getitem__(self, voice: str) -> list[Singer]:
        return self.voices[voice]


choir = init_system(Choir(), "data/choir")
for voice, singers in choir.voices.items():
    singers.append(Singer("x"))  # E: coopy-mutate
    for singer in singers:
        singer.parts.clear()  # E: coopy-mutate
    for place, singer in enumerate(singers, 1):
        singer.age = place  # E: coopy-mutate
for (one, other), singer in choir.pairs.items():
    singer.name = one + other  # E: coopy-mutate
for row in choir.rows:
    row[0].age += 1  # E: coopy-mutate
    row[0] = Singer("new")  # E: coopy-mutate
    for singer in row[1:]:
        singer.age = 3  # O: coopy-mutate
for singer in choir.everybody():
    singer.age = 4  # E: coopy-mutate
for singer in choir:
    singer.age = 5  # E: coopy-mutate
for singer in choir["alto"]:
    singer.age = 6  # E: coopy-mutate
for singer in reversed(choir["alto"]):
    singer.age = 7  # E: coopy-mutate
for singer, number in zip(choir["alto"], range(3)):
    singer.age = number  # E: coopy-mutate
for singer in [Singer("own"), Singer("too")]:
    singer.age = 8
    singer.parts.append("a")
for singer in (Singer(name) for name in ("a", "b")):
    singer.age = 9
for name in [singer.name for singer in choir]:
    name += "!"
    fresh = Singer(name)
    fresh.parts.append(name)
for index in range(len(choir.rows)):
    choir.rows[index].pop()  # E: coopy-mutate
for one_age in {singer.age for singer in choir}:
    one_age -= 1
for choir.solo in choir["alto"]:  # E: coopy-set
    break


def work(choir: System[Choir], own: list[Singer]) -> dict[str, int]:
    ages: dict[str, int] = {}
    while choir.rows:
        row = choir.rows[-1]
        if not row:
            break
        row.pop()  # E: coopy-mutate
    for singer in own:
        singer.age += 1
        ages[singer.name] = singer.age
    groups: dict[int, list[str]] = {}
    for singer in choir.everybody():
        groups.setdefault(singer.age, []).append(singer.name)
        ages[singer.name] = max(singer.age, 3)
    for age, names in groups.items():
        names.sort()
        names.append(str(age))
    for name, part in itertools.product(["a"], ["b"]):
        singer = Singer(name)
        singer.parts.append(part)
    for singer in own:
        for part in singer.parts:
            part += "x"
        singer.parts = []
    while own and (last := own.pop()):
        last.age = 0
    head, *tail = choir["bass"]
    head.age = 1  # E: coopy-mutate
    tail.append(Singer("z"))
    return ages
