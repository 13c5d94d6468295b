"""What domain code may ask for time. Inside an action: the action's own, recorded time, the same on every replay; elsewhere the real one.

The time of an action is constant while it runs and strictly greater than that of the action before. `moment` says which action runs on
this thread, if one does; the engine sets it, and nothing here ever changes it. Where none runs, a `Marker` may stand there instead: what is
to be known of the next call. So one look tells the hot path that nothing is unusual; who asks for the action that runs asks `running()`.
"""

from __future__ import annotations

import time as _time
import weakref
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, NoReturn

from coopy.error import NotSerializableError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

__all__ = [
    "Clock",
    "FixedClock",
    "Marker",
    "Moment",
    "Reading",
    "as_datetime",
    "fix_time",
    "follow",
    "forget",
    "moment",
    "monotonic",
    "now",
    "offset_minutes",
    "running",
    "time",
    "time_ns",
    "today",
    "utcnow",
]

_wall: Callable[[], int] = _time.time_ns  # what the time is outside of actions
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - naive values are made from it
AWARE_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Moment:
    """Time and chance of the action that runs: its LSN, its time (microseconds since 1970, UTC), the zone's offset (minutes), the secret.

    `tainted`: it used a proxy. `generator`: its random numbers, made at the first draw.
    """

    __slots__ = ("__weakref__", "generator", "generator_lsn", "lsn", "secret", "tainted", "time_us", "utc_offset")

    def __init__(self, secret: bytes) -> None:
        self.secret = secret
        self.lsn = self.time_us = self.utc_offset = 0
        self.tainted = False
        self.generator: Random | None = None
        self.generator_lsn = -1


class Marker:
    """What may stand in `moment` while no action runs: something to be known of the calls in a block (coopy/key.py, coopy/engine/settled.py).

    `before`: what the block stands in.
    """

    __slots__ = ("before",)

    def __init__(self) -> None:
        self.before = moment.get()


class Reading:
    """Arguments are made from their bytes, as a restart makes them again: at another time, and with no proxy there. `asked`: for one of these, all the same."""

    __slots__ = ("asked",)

    def __init__(self) -> None:
        self.asked = False

    @staticmethod
    def refusal() -> UsageError:
        """What is raised at who asks."""
        return UsageError(
            "what makes it from its pickle (__setstate__, say) uses coopy's clock, random numbers or a proxy, and would find others at a restart."
        )


moment: ContextVar[Moment | Marker | Reading | None] = ContextVar("moment", default=None)


def running() -> Moment | None:
    """The moment of the action that runs on this thread; None if none does. Raises UsageError where arguments are read, who may ask for none."""
    now = moment.get()
    if type(now) is Reading:
        now.asked = True
        raise Reading.refusal()
    return now if type(now) is Moment else None


def offset_minutes(time_us: int) -> int:
    """The local zone's offset from UTC at this time, in minutes. Zones change it at quarters of an hour."""
    try:
        return _time.localtime(time_us // 1_000_000).tm_gmtoff // 60
    except (OverflowError, OSError, ValueError):  # beyond what the system's zone tables know
        return 0


def fix_time(wall: Callable[[], int] | None) -> None:
    """For tests: what the time is outside of actions, in nanoseconds since 1970; None for the real one again."""
    global _wall
    _wall = _time.time_ns if wall is None else wall


_followed: tuple[weakref.ref[Moment], ...] = ()


def follow(last: Moment) -> None:
    """From now on this module's own functions give no time before this moment, as long as it lives or until `forget`."""
    global _followed
    forget(last)
    _followed = (*_followed, weakref.ref(last))


def forget(last: Moment) -> None:
    """The system whose moment this is was closed."""
    global _followed
    _followed = tuple(one for one in _followed if one() not in {None, last})


class Clock:
    """Time for domain code. `last`: the moment whose system's clock this is; outside of its actions, time is never before it.

    Without one, it is never before the last action of any system that is open.
    """

    def __init__(self, last: Moment | None = None) -> None:
        self._last = last

    def _stamp(self) -> tuple[int, int]:
        """Microseconds since 1970 and the zone's offset in minutes."""
        now = running()
        if now is not None:
            return now.time_us, now.utc_offset
        last = [self._last] if self._last is not None else [one() for one in _followed]
        latest = max(_wall() // 1000, *(one.time_us for one in last if one is not None), 0)
        return latest, offset_minutes(latest)

    def now(self, tz: tzinfo | None = None) -> datetime:
        """The time as `datetime.now` gives it: naive and local without `tz`, else aware."""
        time_us, offset = self._stamp()
        if tz is None:
            return EPOCH + timedelta(microseconds=time_us, minutes=offset)
        return (AWARE_EPOCH + timedelta(microseconds=time_us)).astimezone(tz)

    def utcnow(self) -> datetime:
        """The time in UTC, naive."""
        return EPOCH + timedelta(microseconds=self._stamp()[0])

    def today(self) -> date:
        """The local date."""
        return self.now().date()

    def time(self) -> float:
        """Seconds since 1970."""
        return self._stamp()[0] / 1_000_000

    def time_ns(self) -> int:
        """Nanoseconds since 1970; the last three digits are 0."""
        return self._stamp()[0] * 1000

    def monotonic(self) -> float:
        """Seconds that never go back: inside of actions the same as `time`."""
        return self.time() if running() is not None else _time.monotonic()

    def __copy__(self) -> Clock:
        return self

    def __deepcopy__(self, _memo: object) -> Clock:
        """The same: a copy of a domain object, as a method may make one to go back to, tells the same time."""
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """By its class alone: whoever reads the state that it is in gets a clock that knows no last action, inside of actions the same."""
        return Clock, ()


def as_datetime(fixed: date) -> datetime:
    """The same, of a date its first moment, which is local. Raises UsageError for what is neither."""
    if not isinstance(fixed, date):
        raise UsageError(f"{fixed!r} is no time: pass a datetime, or a date for its first moment.")
    return fixed if isinstance(fixed, datetime) else datetime(fixed.year, fixed.month, fixed.day)  # noqa: DTZ001 - local on purpose


class FixedClock(Clock):
    """For tests: always this time. A naive date is local, its parts are given back as they are."""

    def __init__(self, fixed: date) -> None:
        super().__init__()
        self._fixed = as_datetime(fixed)

    def now(self, tz: tzinfo | None = None) -> datetime:
        """As Clock.now."""
        return self._fixed if tz is None and self._fixed.tzinfo is None else super().now(tz)

    def monotonic(self) -> float:
        """The same as `time`."""
        return self.time()

    def __reduce__(self) -> NoReturn:
        raise NotSerializableError("A clock of a test is not part of a state. Keep times, not clocks.", method="", where="a clock")

    def _stamp(self) -> tuple[int, int]:
        aware = self._fixed.astimezone()
        offset = aware.utcoffset() or timedelta()
        return (aware - AWARE_EPOCH) // timedelta(microseconds=1), offset // timedelta(minutes=1)


_default = Clock()
now, utcnow, today = _default.now, _default.utcnow, _default.today
time, time_ns, monotonic = _default.time, _default.time_ns, _default.monotonic
