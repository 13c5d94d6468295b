from __future__ import annotations

import heapq
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Callable, ClassVar, Generic, Self, TypeVar
from zoneinfo import ZoneInfo

T = TypeVar("T")
UTC = timezone.utc
BERLIN = ZoneInfo("Europe/Berlin")


class Heap(Generic[T]):
    def __init__(self) -> None:
        self._items: list[tuple[datetime, int, T]] = []
        self._count = 0

    def push(self, when: datetime, item: T) -> None:
        self._count += 1
        heapq.heappush(self._items, (when, self._count, item))

    def pop(self) -> T:
        return heapq.heappop(self._items)[-1]

    def peek(self) -> datetime | None:
        return self._items[0][0] if self._items else None

    def __bool__(self) -> bool:
        return bool(self._items)


class Rule(ABC):
    kinds: ClassVar[dict[str, type[Rule]]] = {}

    def __init_subclass__(cls, kind: str = "", **kwargs) -> None:
        super().__init_subclass__(**kwargs)
        if kind:
            cls.kinds[kind] = cls

    @abstractmethod
    def after(self, moment: datetime) -> datetime: ...


class Every(Rule, kind="every"):
    def __init__(self, minutes: str) -> None:
        self.step = timedelta(minutes=int(minutes))

    def after(self, moment: datetime) -> datetime:
        return moment + self.step


class Daily(Rule, kind="daily"):
    def __init__(self, at: str) -> None:
        hour, _, minute = at.partition(":")
        self.hour, self.minute = int(hour), int(minute or 0)

    def after(self, moment: datetime) -> datetime:
        local = moment.astimezone(BERLIN).replace(hour=self.hour, minute=self.minute, second=0, microsecond=0)
        if local <= moment:
            local += timedelta(days=1)
        return local.astimezone(UTC)


@dataclass(eq=False)
class Job:
    name: str
    rule: Rule
    runs: list[datetime] = field(default_factory=list)

    @classmethod
    def parse(cls, name: str, text: str) -> Self:
        kind, _, rest = text.partition(" ")
        return cls(name, Rule.kinds[kind](rest))


class Scheduler:
    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.queue: Heap[str] = Heap()
        self.now = datetime(2030, 1, 1, tzinfo=UTC)

    def add(self, name: str, text: str) -> None:
        job = self.jobs[name] = Job.parse(name, text)
        self.queue.push(job.rule.after(self.now), name)

    def tick(self, minutes: int) -> list[str]:
        self.now += timedelta(minutes=minutes)
        ran = []
        while self.queue and (when := self.queue.peek()) is not None and when <= self.now:
            name = self.queue.pop()
            if (job := self.jobs.get(name)) is None:
                continue
            job.runs.append(when)
            ran.append(name)
            self.queue.push(job.rule.after(when), name)
        return ran

    def drop(self, *names: str) -> int:
        gone = set(names) & self.jobs.keys()
        for name in gone:
            del self.jobs[name]
        return len(gone)

    def report(self) -> dict[str, str]:
        return {name: max(job.runs).isoformat() if job.runs else "never" for name, job in sorted(self.jobs.items())}


def daemon(scheduler: Scheduler) -> None:
    while True:
        started = time.monotonic()
        scheduler.tick(1)
        time.sleep(max(0, 60 - (time.monotonic() - started)))
