from __future__ import annotations

import csv
import io
import json
from collections import namedtuple

from coopy.decorators import readonly

from .events import Bus, Event
from .repo import Repo

Line = namedtuple("Line", ["sku", "quantity"])


class OutOfStock(Exception):
    def __init__(self, sku, missing):
        super().__init__(f"{missing} x {sku}")
        self.sku, self.missing = sku, missing


class Inventory:
    def __init__(self):
        self.stock: Repo[str, int] = Repo()
        self.log: list[str] = []
        self.bus = Bus().on("taken", self._note).on("low", self._order)
        self.ordered: set[str] = set()

    def _note(self, event: Event):
        self.log.append(f"{event.name}:{json.dumps(event.data)}")

    def _order(self, event):
        sku, *_ = event.data
        self.ordered.add(sku)

    def receive(self, text: str):
        for row in csv.DictReader(io.StringIO(text)):
            self.stock[row["sku"]] = self.stock.get(row["sku"], 0) + int(row["quantity"])
        return len(self.stock)

    def take(self, *lines: tuple[str, int]):
        with self.stock.unit() as stock:
            for sku, quantity in map(Line._make, lines):
                left = stock.get(sku, 0) - quantity
                if left < 0:
                    raise OutOfStock(sku, -left)
                stock[sku] = left
                self.bus.publish("taken", sku, quantity)
                if left < 3:
                    self.bus.publish("low", sku)

    @readonly
    def low(self):
        return sorted(self.ordered), dict(self.stock), self.stock == {"x": 1}, list(self.stock.items())

    @readonly
    def export(self):
        out = io.StringIO()
        writer = csv.writer(out)
        for sku in self.stock:
            writer.writerow([sku, self.stock[sku]])
        return out.getvalue()
