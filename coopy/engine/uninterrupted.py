"""Work that a signal must not cut in two: done on a fresh thread, where none arrives and the stack is as deep as on any other day."""

from __future__ import annotations

from _thread import allocate_lock, start_new_thread
from typing import TYPE_CHECKING, Generic, TypeVar

from coopy.clock import Moment, moment

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["uninterrupted"]

T = TypeVar("T")


def uninterrupted(work: Callable[[], T]) -> T:
    """Run `work` on a fresh thread and wait for its end; an interrupt of this thread meanwhile is raised after that.

    A proxy refuses to be used on that thread: the caller may hold its lock. Where no thread can be started (the interpreter shuts
    down), it runs on this one.
    """
    job = _Job(work)
    interrupt: BaseException | None = None
    while not job.finished:
        try:
            job.start_or_wait()
        except BaseException as error:  # noqa: BLE001 - a signal handler may raise anything; it is raised below
            interrupt = error
    if interrupt is not None:
        raise interrupt
    return job.outcome()


class _Job(Generic[T]):
    def __init__(self, work: Callable[[], T]) -> None:
        self.work, self.finished, self.started = work, False, False
        self.claim, self.end = allocate_lock(), allocate_lock()
        self.end.acquire()
        self.results: list[T] = []
        self.error: BaseException | None = None

    def start_or_wait(self) -> None:
        """An interrupt may hide whether the thread was started: then another is, and the first to claim the work does it."""
        if not self.started:
            try:
                start_new_thread(self.run, ())
            except RuntimeError:
                self.run()
            self.started = True
        self.end.acquire()

    def run(self) -> None:
        if not self.claim.acquire(blocking=False):
            return
        token = moment.set(Moment(b""))
        try:
            self.results.append(self.work())
        except BaseException as error:  # noqa: BLE001 - it is raised on the thread that waits
            self.error = error
        finally:
            moment.reset(token)
            self.finished = True
            self.end.release()

    def outcome(self) -> T:
        if self.error is not None:
            raise self.error
        return self.results[0]
