from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any
from coopy import clock


@dataclass(frozen=True)
class Event:
    at: Any

    @classmethod
    def now(cls, *args):
        return cls(clock.now(), *args)

    @classmethod
    def wall(cls, *args):
        return cls(time.time(), *args)


@dataclass(frozen=True)
class Deposited(Event):
    amount: int


class Account:
    handlers = {Deposited: "_deposited"}

    def __init__(self):
        self.events: list[Event] = []
        self.balance = 0

    def _record(self, event: Event):
        self.events.append(event)
        getattr(self, self.handlers[type(event)])(event)

    def _deposited(self, event: Deposited):
        self.balance += event.amount

    def deposit(self, n):
        self._record(Deposited.now(n))
