from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import singledispatchmethod
from typing import Any


@dataclass(frozen=True)
class Event:
    at: float = field(default_factory=time.time, kw_only=True)


@dataclass(frozen=True)
class Deposited(Event):
    amount: int


@dataclass(frozen=True)
class Closed(Event):
    pass


class Account:
    def __init__(self):
        self.events: list[Event] = []
        self.balance = 0
        self.open = True

    def _record(self, event: Event):
        self.events.append(event)
        self._apply(event)

    @singledispatchmethod
    def _apply(self, event):
        raise TypeError(type(event))

    @_apply.register
    def _(self, event: Deposited):
        self.balance += event.amount

    @_apply.register
    def _(self, event: Closed):
        self.open = False

    def deposit(self, n):
        self._record(Deposited(n))

    def close(self):
        self._record(Closed())
