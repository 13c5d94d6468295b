from __future__ import annotations

import dataclasses as dc
import uuid
from dataclasses import dataclass, field
from datetime import date


@dataclass
class Base:
    name: str
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    day: date = field(default_factory=date.today)


@dataclass
class Item(Base):
    id: str = "fixed"
    day: date = date(2020, 1, 1)
    notes: dict[str, list[int]] = field(default_factory=dict)


class Dcm:
    def __init__(self):
        self.items: list[Item] = []

    def add(self, name):
        item = Item(name)
        item.notes.setdefault("n", []).append(1)
        self.items.append(dc.replace(item, id="other"))
        return [f.name for f in dc.fields(item)], dc.asdict(item)
