from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from coopy import clock

from .money import ZERO, Money


class Side(enum.IntEnum):
    DEBIT = 1
    CREDIT = -1

    @property
    def other(self) -> Side:
        return Side(-self)


@dataclass
class Entry:
    account: str
    side: Side
    money: Money
    note: str = ""
    tags: frozenset[str] = frozenset()


@dataclass
class Posting:
    number: int
    day: date
    entries: list[Entry] = field(default_factory=list)
    made: datetime = field(default_factory=clock.now)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __contains__(self, account: str) -> bool:
        return any(e.account == account for e in self)

    @property
    def balanced(self) -> bool:
        return not sum((e.money * e.side for e in self.entries), ZERO)

    def due(self, days: int = 30) -> date:
        return self.day + timedelta(days=days)
