"""What happens by the clock: a sync of what was only written, a snapshot. Each on a thread of its own that ends with the system."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from coopy.error import CoopyError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Timer"]

log = logging.getLogger("coopy")


class Timer:
    """Calls `work` every `interval` seconds until `stop()`. What it raises is logged: nobody waits for it, and the next turn comes."""

    def __init__(self, name: str, interval: float, work: Callable[[], object]) -> None:
        self._interval, self._work = interval, work
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"coopy {name}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopped.wait(self._interval):
            try:
                self._work()
            except (CoopyError, OSError) as error:
                if not self._stopped.is_set():
                    log.warning("The %s failed: %s", self._thread.name, error)

    def stop(self) -> None:
        """No further turns; waits for the present one, except on the timer's own thread."""
        self._stopped.set()
        if threading.current_thread() is not self._thread:
            self._thread.join()
