"""How long things took, and what went wrong last: what `stats()` is made of, kept where it happens and never in the way of a call."""

from __future__ import annotations

import threading
from bisect import bisect_left
from datetime import UTC, datetime
from time import perf_counter

import msgspec

__all__ = ["LIMITS", "Stopwatch", "Timing", "Trouble", "perf_counter"]

# Seconds: a sync of a good disk takes 0.0001, a snapshot of a large state a minute.
LIMITS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 60.0)

MANY = 1024


class Timing(msgspec.Struct, frozen=True):
    """How long something took since the system was opened, in seconds: all together (`total`), and the longest one.

    `counts`: how many took at most as long as the same place of `coopy.measured.LIMITS` says, and longer than the one before; the last: longer than all.
    """

    total: float
    longest: float
    counts: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many there were."""
        return sum(self.counts)

    @property
    def mean(self) -> float:
        """How long one took on average; 0 where there was none."""
        return self.total / (self.count or 1)


class Stopwatch:
    """Collects them. Any thread may add, in a tenth of a microsecond: what came lately is counted when it is many, or when somebody reads."""

    __slots__ = ("_counts", "_guard", "_lately", "_longest", "_total")

    def __init__(self) -> None:
        self._guard = threading.RLock()  # a finalizer may come in between, and lead to another one
        self._counts, self._total, self._longest = [0] * (len(LIMITS) + 1), 0.0, 0.0
        self._lately: list[float] = []

    def add(self, seconds: float) -> None:
        """One more."""
        lately = self._lately
        lately.append(seconds)
        if len(lately) >= MANY:
            self._count()

    def reading(self) -> Timing:
        """What there is so far."""
        with self._guard:
            self._count()
            return Timing(self._total, self._longest, tuple(self._counts))

    def _count(self) -> None:
        with self._guard:
            lately = self._lately[:]
            del self._lately[: len(lately)]
            for seconds in lately:
                self._counts[bisect_left(LIMITS, seconds)] += 1
            self._total, self._longest = self._total + sum(lately), max(self._longest, *lately, 0.0)


class Trouble(msgspec.Struct, frozen=True):
    """Something went wrong: when (UTC), the class of the error, and what it said."""

    when: datetime
    error: str
    message: str

    @staticmethod
    def now(error: BaseException) -> Trouble:
        """What went wrong a moment ago."""
        return Trouble(datetime.now(UTC), type(error).__name__, str(error) or type(error).__name__)
