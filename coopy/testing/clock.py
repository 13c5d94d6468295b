"""The time that a test says it is."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Self

from coopy.clock import FixedClock, as_datetime, fix_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["MovableClock", "standing", "wall"]

START = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)
_active: list[Callable[[], int]] = []


class MovableClock(FixedClock):
    """A clock that stands still until it is moved. It can be a plain object's `_clock`, too.

    `with MovableClock() as clock:` has it be the time of all systems that were opened by coopy.testing, and of `coopy.clock` outside of
    actions. The first action after a move has exactly this time, each further one a microsecond more: no two actions have the same.
    """

    def __init__(self, start: date = START) -> None:
        super().__init__(start)

    def set(self, to: date) -> None:
        """Now it is this time; a naive one is local. It may be earlier: actions still have times that grow."""
        self._fixed = as_datetime(to)

    def move(self, by: timedelta) -> None:
        """So much time passes, whatever local clocks are set to meanwhile."""
        moved = self._fixed.astimezone(UTC) + by
        self._fixed = moved.astimezone(self._fixed.tzinfo) if self._fixed.tzinfo is not None else moved.astimezone().replace(tzinfo=None)

    def __enter__(self) -> Self:
        _active.append(self.time_ns)
        fix_time(self.time_ns)
        return self

    def __exit__(self, *_: object) -> None:
        _active.remove(self.time_ns)
        fix_time(_active[-1] if _active else None)


def wall() -> int:
    """What the time is for the systems of a test, in nanoseconds since 1970."""
    return _active[-1]() if _active else time.time_ns()


@contextmanager
def standing() -> Iterator[None]:
    """The time stands still, unless a test moves it itself."""
    if _active:
        yield
        return
    with MovableClock(datetime.now(UTC)):
        yield
