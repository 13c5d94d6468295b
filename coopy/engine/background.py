"""What happens by the clock: a sync of what was only written, a snapshot. Each on a thread of its own that ends with the system."""

from __future__ import annotations

import threading
from _thread import allocate_lock
from contextlib import suppress
from typing import TYPE_CHECKING

from coopy.error import CoopyError
from coopy.logs import logger

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Timer"]

log = logger()


class Timer:
    """Calls `work` every `interval` seconds until `stop()`. What it raises is logged: nobody waits for it, and the next turn comes.

    It waits on a bare lock: an interrupt within `threading.Event.set` could leave a lock of the event held for ever.
    """

    def __init__(self, name: str, interval: float, work: Callable[[], object]) -> None:
        self._interval, self._work, self._stopped = interval, work, False
        self._wake = allocate_lock()
        self._wake.acquire()
        self._thread = threading.Thread(target=self._run, name=f"coopy {name}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._wake.acquire(timeout=self._interval):
            try:
                self._work()
            except (CoopyError, OSError, MemoryError) as error:
                if not self._stopped:
                    log.warning("The %s failed: %s", self._thread.name, str(error) or type(error).__name__)

    def stop(self) -> None:
        """No further turns. May be repeated, by several threads at once."""
        self._stopped = True
        with suppress(RuntimeError):  # somebody was faster
            self._wake.release()

    def wait(self) -> None:
        """Until the present turn has ended, after `stop()`; not on the timer's own thread."""
        if threading.current_thread() is not self._thread:
            self._thread.join()
