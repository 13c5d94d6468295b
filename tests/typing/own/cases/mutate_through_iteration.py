from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from coopy import System


@dataclass
class Row:
    name: str


class Db:
    def __init__(self) -> None:
        self.rows: list[Row] = []

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __getitem__(self, i: int) -> Row:
        return self.rows[i]


def use(db: System[Db]) -> None:
    for row in db:
        row.name = "x"  # E: coopy-mutate
    for i, second in enumerate(db):
        second.name = str(i)  # O: coopy-mutate
    next(iter(db)).name = "x"  # O: coopy-mutate
    for third in sorted(db, key=lambda r: r.name):
        third.name = "x"  # O: coopy-mutate
    a, *b = db
    a.name = "x"  # E: coopy-mutate
    db[0].name = "x"  # E: coopy-mutate
    max(db, key=lambda r: r.name).name = "x"  # O: coopy-mutate
