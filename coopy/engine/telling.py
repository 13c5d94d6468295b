"""A restore that takes longer than a second says in the log what it does: from which snapshot, how far it is, how fast it was.

From a thread of its own, which looks now and then at the mark that every replay leaves: the replay itself does nothing for it.
"""

from __future__ import annotations

import threading
from _thread import allocate_lock
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from coopy.engine.archive import high_water_of
from coopy.error import CoopyError
from coopy.logs import INFO, logger
from coopy.measured import perf_counter

if TYPE_CHECKING:
    from types import TracebackType

    from coopy.engine.archive import Archive

__all__ = ["Telling"]

log = logger("restore")
PATIENCE, EVERY = 1.0, 5.0  # seconds before it says anything, and from one time to the next


class Telling:
    """Tells of one restore while it is inside of `with`. `mark[0]`: the action that runs; `last`: where it will stop, 0 if it does not know."""

    def __init__(self, archive: Archive, mark: memoryview, last: int) -> None:
        self._archive, self._mark, self._last = archive, mark, last
        self._base: int | None = None  # the snapshot, once it is loaded
        self._begun = self._loaded = perf_counter()
        self._told = False
        self._end = allocate_lock()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        if log.isEnabledFor(INFO):
            self._end.acquire()
            thread = threading.Thread(target=self._run, name="coopy restore", daemon=True)
            with suppress(RuntimeError):  # no thread is to be had: it goes on in silence
                thread.start()
                self._thread = thread
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._fall_silent()

    def replaying(self, base: int) -> None:
        """The snapshot is loaded, and the actions behind it begin to run."""
        self._base, self._loaded = base, perf_counter()

    def ended(self, lsn: int) -> None:
        """All of it is done, up to this action. Nothing is said of it afterwards."""
        if self._fall_silent() and perf_counter() - self._begun >= PATIENCE:
            count, seconds = lsn - (self._base or 0), perf_counter() - self._loaded
            text = "%s: replayed %d actions, up to LSN %d, in %.1f s: %d/s. All together it took %.1f s."
            log.info(text, self._archive.directory, count, lsn, seconds, count / seconds, perf_counter() - self._begun)

    def _fall_silent(self) -> bool:
        """Its thread says no more. Gives whether there was one. May be repeated."""
        if self._thread is None:
            return False
        if self._end.locked():
            self._end.release()
        self._thread.join()
        return True

    # --- from its thread -------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        pause = PATIENCE
        while not self._end.acquire(timeout=pause):
            self._tell()
            pause = EVERY

    def _tell(self) -> None:
        where, base, lsn = self._archive.directory, self._base, self._mark[0]
        if base is None:
            log.info("%s: the state is being loaded from a snapshot.", where)
        elif not self._told:
            self._told = True
            self._last = self._last or self._expected()
            text = "%s: restoring from the snapshot at LSN %d; %d actions or more are to be replayed, up to LSN %d."
            log.info(text, where, base, max(self._last, lsn) - base, max(self._last, lsn))
        if base is not None and lsn > base:
            seconds = perf_counter() - self._loaded
            log.info("%s: at LSN %d of %d, %d actions/s.", where, lsn, max(self._last, lsn), (lsn - base) / seconds)

    def _expected(self) -> int:
        """As far as is known without reading the journal: what was on stable storage a second before its end."""
        try:
            return high_water_of(self._archive)
        except (OSError, CoopyError):  # whoever restores hears of it
            return 0
