from __future__ import annotations

import copy
import dataclasses
import itertools
import json
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from coopy import System, init_system, readonly, unlocked


class Price(NamedTuple):
    name: str
    cents: int


@dataclass
class Report:
    lines: list[str] = field(default_factory=list)
    total: int = 0

    def add(self, line: str) -> Report:
        self.lines.append(line)
        return self


@dataclass
class Stall:
    owner: str
    goods: dict[str, int] = field(default_factory=dict)

    def names(self) -> list[str]:
        return list(self.goods)


class Market:
    def __init__(self) -> None:
        self.stalls: dict[str, Stall] = {}
        self.sales: list[Price] = []

    def open(self, owner: str) -> list[str]:
        self.stalls[owner] = Stall(owner)
        return sorted(self.stalls)

    @readonly
    def report(self, title: str) -> Report:
        report = Report()
        report.add(title)
        for owner, stall in self.stalls.items():
            report.lines.append(f"{owner}: {len(stall.goods)}")
            report.total += 1
        return report

    @readonly
    def totals(self) -> dict[str, int]:
        totals: defaultdict[str, int] = defaultdict(int)
        for name, cents in self.sales:
            totals[name] += cents
        return totals

    @unlocked
    @readonly
    def counts(self) -> Counter[str]:
        return Counter(price.name for price in self.sales)

    @readonly
    def grouped(self) -> dict[str, list[int]]:
        return {name: [price.cents for price in prices] for name, prices in itertools.groupby(self.sales, key=lambda p: p.name)}

    @readonly
    def last(self, count: int) -> list[Price]:
        if count <= 0:
            return []
        elif count > 100:
            raise ValueError(count)
        return self.sales[-count:]

    @readonly
    def merged(self) -> dict[str, int]:
        result: dict[str, int] = {}
        for stall in self.stalls.values():
            result = {**result, **stall.goods}
        return result

    @readonly
    def stall(self, owner: str) -> Stall:
        return copy.deepcopy(self.stalls[owner])

    @readonly
    def renamed(self, owner: str, name: str) -> Stall:
        return dataclasses.replace(self.stalls[owner], owner=name)

    @readonly
    def words(self) -> list[str]:
        return " ".join(self.stalls).split()

    @property
    def names(self) -> set[str]:
        return set(self.stalls) | {price.name for price in self.sales}

    @readonly
    def recent(self) -> deque[Price]:
        with_limit: deque[Price] = deque(self.sales, maxlen=3)
        return with_limit

    @readonly
    def numbers(self) -> list[int]:
        return list(range(len(self.sales)))

    @readonly
    def either(self, flag: bool) -> list[str]:
        return sorted(self.stalls) if flag else list(self.stalls)

    def __getitem__(self, place: slice) -> list[Price]:
        return self.sales[place]

    def __add__(self, other: Market) -> Market:
        market = Market()
        market.sales = self.sales + other.sales
        return market

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self.stalls))


def work(market: System[Market]) -> str:
    market.open("ann").append("own")
    report = market.report("today")
    report.add("more").add("and more")
    report.lines.sort()
    report.total = 0
    totals = market.totals()
    totals["x"] = 1
    counts = market.counts()
    counts["x"] += 1
    counts.update("y")
    grouped = market.grouped()
    grouped["x"] = []
    grouped["y"].append(3)
    last = market.last(3)
    last.reverse()
    merged = market.merged()
    merged.pop("x", None)
    market.stall("ann").goods["apple"] = 3
    stall = market.stall("ann")
    stall.owner = "bob"
    stall.goods.clear()
    renamed = market.renamed("ann", "cem")
    renamed.owner = "x"
    market.words().append("x")
    names = market.names
    names.add("x")
    recent = market.recent()
    recent.appendleft(Price("x", 1))
    market.numbers().clear()
    market.either(True).append("x")
    prices = market[slice(3)]
    prices.append(Price("y", 2))  # O: coopy-mutate
    together = market + market
    together.sales.append(Price("z", 3))
    together.sales = []
    listed = [name for name in market]
    listed.append("end")
    stalls = market.stalls["ann"].names()
    stalls.append("z")
    data: dict[str, Any] = dataclasses.asdict(market.stalls["ann"])
    data["owner"] = "json"
    data["goods"]["x"] = 3
    ordered = OrderedDict(sorted(market.totals().items()))
    ordered.popitem()
    return json.dumps([data, ordered])


market = init_system(Market(), "data/market")
work(market)
market.stalls["ann"].goods["x"] = 1  # E: coopy-mutate
