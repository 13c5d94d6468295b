"""The original's helper for tests of a domain that uses `self._clock`, under the original's name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coopy.clock import Clock, FixedClock
from coopy.wiring import fix_wall, is_proxy

if TYPE_CHECKING:
    from datetime import date

__all__ = ["TestSystemMixin"]


class TestSystemMixin:
    """Give a plain domain object a clock, or set the one that a system's stamps are taken from."""

    __test__ = False  # its name looks like a test to pytest

    def mock_clock(self, domain: Any, date: date) -> None:
        """From now on it is this time: on a plain object for `_clock`, on a proxy for the stamps of its actions (each a microsecond later)."""
        if is_proxy(domain):
            fix_wall(domain, FixedClock(date).now())
        else:
            domain._clock = FixedClock(date)  # noqa: SLF001 - the name that coopy injects

    def enable_clock(self, domain: Any) -> None:
        """The real time again."""
        if is_proxy(domain):
            fix_wall(domain, None)
        else:
            domain._clock = Clock()  # noqa: SLF001 - the name that coopy injects
