from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Optional

from coopy import System, init_system, readonly


@dataclass
class Row:
    name: str
    values: list[int] = field(default_factory=list)
    parent: Optional[Row] = None


class Db:
    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.index: dict[str, Row] = {}
        self.current: Row | None = None

    def add(self, name: str) -> Row:
        row = Row(name)
        self.rows.append(row)
        return row

    def add_list(self, name: str) -> list[int]:
        values: list[int] = []
        self.index[name] = Row(name, values)
        return values

    def add_kept(self, name: str) -> Row:
        row = Row(name)
        self.current = row
        return row

    @readonly
    def attribute(self) -> list[Row]:
        return self.rows

    @readonly
    def item(self, name: str) -> Row:
        return self.index[name]

    @readonly
    def get(self, name: str) -> Row | None:
        return self.index.get(name)

    @readonly
    def search(self, name: str) -> Row:
        for row in self.rows:
            if row.name == name:
                return row
        raise LookupError(name)

    @readonly
    def by_next(self, name: str) -> Row:
        return next(r for r in self.rows if r.name == name)

    @readonly
    def mixed(self, name: str) -> list[int]:
        if name in self.index:
            return self.index[name].values
        return []

    @readonly
    def either(self) -> Row:
        return self.current or self.rows[0]

    @readonly
    def first(self) -> Row:
        return min(self.rows, key=attrgetter("name"))

    @readonly
    def local(self) -> Row:
        row = self.rows[0]
        return row

    @readonly
    def gen(self) -> Iterator[Row]:
        yield from self.rows

    @readonly
    def mapping(self) -> dict[str, Row]:
        return self.index

    @property
    def prop(self) -> Row:
        return self.rows[0]

    @readonly
    def _private(self) -> Row:
        return self.rows[0]

    @readonly
    def through(self) -> Row:
        return self._private()

    def __getitem__(self, i: int) -> Row:
        return self.rows[i]

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __call__(self) -> Row:
        return self.rows[0]


def use(db: System[Db]) -> None:
    db.add("x").name = "y"  # E: coopy-mutate
    db.add_list("x").append(3)  # O: coopy-mutate
    db.add_kept("x").name = "y"  # E: coopy-mutate
    db.attribute().append(Row("x"))  # E: coopy-mutate
    db.attribute()[0].name = "x"  # E: coopy-mutate
    db.item("x").name = "y"  # E: coopy-mutate
    row = db.get("x")
    if row:
        row.name = "x"  # E: coopy-mutate
        if row.parent:
            row.parent.name = "y"  # E: coopy-mutate
    db.search("x").values.append(1)  # E: coopy-mutate
    db.by_next("x").values.sort()  # E: coopy-mutate
    db.mixed("x").append(1)  # O: coopy-mutate
    db.either().name = "x"  # E: coopy-mutate
    db.first().name = "x"  # E: coopy-mutate
    db.local().name = "x"  # E: coopy-mutate
    for row in db.gen():
        row.name = "x"  # E: coopy-mutate
    db.mapping()["x"].name = "y"  # E: coopy-mutate
    db.mapping()["x"] = Row("x")  # E: coopy-mutate
    db.prop.name = "x"  # E: coopy-mutate
    db.through().name = "x"  # E: coopy-mutate
    db[0].name = "x"  # E: coopy-mutate
    db[0].values[0] = 3  # E: coopy-mutate
    for row in db:
        row.values.append(3)  # E: coopy-mutate
    for i, row in enumerate(db):
        row.values.append(i)  # O: coopy-mutate
    db().name = "x"  # E: coopy-mutate
    row2 = db.rows[-1]
    row2.name = "x"  # E: coopy-mutate
    values = row2.values
    values += [1]  # E: coopy-mutate
    values[0] += 1  # E: coopy-mutate
    del values[0]  # E: coopy-mutate
    values.insert(0, 1)  # E: coopy-mutate
    values.remove(1)  # E: coopy-mutate
    values.reverse()  # E: coopy-mutate
    first, second = db.rows
    first.name, second.name = second.name, first.name  # E: coopy-mutate
    copied = list(db.rows)
    copied[0].name = "x"  # O: coopy-mutate
    for row in list(db.rows):
        row.name = "x"  # O: coopy-mutate
    for row in sorted(db.rows, key=lambda r: r.name):
        row.name = "x"  # O: coopy-mutate
    items = [r for r in db.rows if r.name]
    items[0].name = "x"  # O: coopy-mutate
    last = db.rows and db.rows[-1]
    print(last)
    popped = db.index.pop("x")  # E: coopy-mutate
    popped.name = "y"  # O: coopy-mutate
    get = db.item
    get("x").name = "x"  # O: coopy-mutate
    part = functools.partial(db.item, "x")
    part().name = "y"  # O: coopy-mutate
    (db.item("x")).name = "y"  # E: coopy-mutate
    [r.values.append(1) for r in db.rows]  # E: coopy-mutate, func-returns-value
    any(r.values.append(1) for r in db.rows)  # E: coopy-mutate, func-returns-value
    x = [row for row in db.rows][0]
    x.name = "x"  # O: coopy-mutate
    lambda: db.rows.append(Row("x"))  # E: coopy-mutate


use(init_system(Db()))
