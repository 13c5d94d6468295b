"""Another time of day, for a process that is thrown away afterwards: whatever Python asks for the time gets one that is off.

`datetime.datetime` stays the class that it is, or values, annotations and `isinstance` would mean something else there: its two class methods that
read the clock are replaced in its own dictionary. CPython only, and nothing that a process which goes on should do.
"""

from __future__ import annotations

import ctypes
import datetime
import gc
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["shift_time"]


def shift_time(seconds: float) -> None:
    """From now on the time is so many seconds later, for `time` and `datetime` and whatever takes its time from them."""
    real, real_ns, nanoseconds = time.time, time.time_ns, int(seconds * 1e9)

    def now() -> float:
        return real() + seconds

    changed: dict[str, Callable[..., Any]] = {"time": now, "time_ns": lambda: real_ns() + nanoseconds}
    changed |= {name: _of_seconds(getattr(time, name), now) for name in ("localtime", "gmtime", "ctime")}
    changed["asctime"] = _of_parts(time.asctime, now, 0)
    changed["strftime"] = _of_parts(time.strftime, now, 1)
    vars(time).update(changed)
    # `datetime.today` and `date.today` ask time.time themselves.
    [own] = gc.get_referents(vars(datetime.datetime))
    own["now"] = classmethod(lambda cls, tz=None: cls.fromtimestamp(now(), tz))
    own["utcnow"] = classmethod(lambda cls: cls.fromtimestamp(now(), datetime.UTC).replace(tzinfo=None))
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(datetime.datetime))


def _of_seconds(real: Callable[..., Any], now: Callable[[], float]) -> Callable[..., Any]:
    return lambda seconds=None: real(now() if seconds is None else seconds)


def _of_parts(real: Callable[..., Any], now: Callable[[], float], before: int) -> Callable[..., Any]:
    """Of a function whose argument after so many others is a broken-down time."""
    local = time.localtime
    return lambda *args: real(*args) if len(args) > before else real(*args, local(now()))
