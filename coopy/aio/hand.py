"""A thread of coopy's own that does what must not be done on the loop's thread. No signal reaches it.

It is started by the first who wakes it, and goes when nobody has for a while, so that an idle system has none. It waits on a bare lock, as
engine/background.py says.
"""

from __future__ import annotations

import threading
from _thread import allocate_lock
from typing import TYPE_CHECKING

from coopy.engine.beside import WAKE

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Hand"]

PATIENCE = 10.0  # seconds; starting a thread costs as much as half a sync


class Hand:
    """Calls `work` soon after each `wake()`, on one thread. `work` raises nothing, and gives whether it wants to look again soon by itself."""

    def __init__(self, name: str, work: Callable[[], bool]) -> None:
        self._name, self._work, self._alive, self._ended = name, work, False, False
        self._guard = threading.RLock()  # re-entrant: a signal handler may wake it, too
        self._signal = allocate_lock()
        self._signal.acquire()

    def wake(self) -> None:
        """Have the work done, on any day: after `end()` as well."""
        if self._alive and not self._signal.locked():  # woken before, and it has not looked yet: it will
            return
        with self._guard:
            if self._signal.locked():
                self._signal.release()
            if not self._alive:
                self._alive = True
                try:
                    threading.Thread(target=self._run, name=f"coopy {self._name}", daemon=True).start()
                except BaseException:
                    self._alive = False
                    raise

    def end(self) -> None:
        """It is not to wait for more."""
        self._ended = True
        with self._guard:
            if self._signal.locked():
                self._signal.release()

    def _run(self) -> None:
        while True:
            goes_on = self._work()
            woken = self._signal.acquire(timeout=WAKE if goes_on else 0 if self._ended else PATIENCE)
            if not woken and not goes_on and self._goes():
                return

    def _goes(self) -> bool:
        with self._guard:
            if self._signal.acquire(blocking=False):
                return False
            self._alive = False
            return True
