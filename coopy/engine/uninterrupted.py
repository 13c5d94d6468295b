"""Work that a signal must not cut in two: done on a fresh thread, where none arrives and the stack is as deep as on any other day.

The job belongs to the system, not to the thread that asked for it: that thread waits, and what interrupts it is raised after the end. A
signal can still hit between two instructions of the waiting itself; then the job goes on alone, and whoever enters next waits for it first.
"""

from __future__ import annotations

from _thread import allocate_lock, start_new_thread
from typing import TYPE_CHECKING, Any

from coopy.clock import Moment, moment

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Worker"]


def _nothing() -> None:
    """Most work cannot be left off."""


class Worker:
    """Runs one job at a time; its callers hold the lock that makes it so."""

    __slots__ = ("_job",)

    def __init__(self) -> None:
        self._job: _Job | None = None

    def run(self, work: Callable[[], Any], cancel: Callable[[], object] = _nothing) -> Any:
        """Do `work` on a fresh thread; gives what it returned or raises what it raised. A proxy refuses to be used in it.

        `cancel` hears of an interrupt, if the work can be left off: it is raised only when the work has ended.
        """
        self.finish()
        job = self._job = _Job(work)
        interrupt = None
        while not job.finished:
            try:
                job.start_or_wait()
            except BaseException as error:  # noqa: BLE001 - a signal handler may raise anything; it is raised below
                interrupt = error
                cancel()
        self._job = None
        if interrupt is not None:
            raise interrupt
        if job.error is not None:
            raise job.error
        return job.result

    def finish(self) -> None:
        """Wait for a job whose caller was interrupted. May be interrupted itself, and repeated."""
        job = self._job
        while job is not None and not job.finished:
            job.start_or_wait()
        self._job = None


class _Job:
    def __init__(self, work: Callable[[], Any]) -> None:
        self.work, self.finished = work, False
        self.claim, self.end = allocate_lock(), allocate_lock()
        self.end.acquire()
        self.result: Any = None
        self.error: BaseException | None = None

    def start_or_wait(self) -> None:
        """Have a thread begin, as long as none has: the first to claim the work does it.

        An interrupt may hide whether one was started. And in CPython 3.11 what `PyThreadState_SetAsyncExc` raises may hit the new thread instead of the one
        that starts it, for as long as they have one identity: it ends before its first line.
        """
        if not self.claim.locked():
            try:
                start_new_thread(self.run, ())
            except RuntimeError:  # the interpreter shuts down: no new threads
                self.run()
        self.end.acquire(timeout=0.05)  # the end may have been taken by a wait that was interrupted

    def run(self) -> None:
        if not self.claim.acquire(blocking=False):
            return
        token = moment.set(Moment(b""))
        try:
            self.result = self.work()
        except BaseException as error:  # noqa: BLE001 - it is raised on the thread that waits
            self.error = error
        finally:
            moment.reset(token)
            self.finished = True
            self.end.release()
