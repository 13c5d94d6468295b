from __future__ import annotations

import dataclasses as dc
import time
import uuid
from dataclasses import KW_ONLY, InitVar, dataclass, field
from datetime import date


def new_id() -> str:
    return uuid.uuid4().hex


@dataclass
class Base:
    id: str = field(default_factory=new_id, kw_only=True)


@dataclass
class Item(Base):
    name: str
    _: KW_ONLY
    price: int = 0
    today: InitVar[bool] = False
    day: date | None = dc.field(init=False, default=None)

    def __post_init__(self, today):
        if today:
            self.day = date.today()


class Dcm:
    def __init__(self):
        self.items: list[Item] = []

    def add(self, name):
        self.items.append(Item(name, price=3, today=True))
