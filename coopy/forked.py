"""A copy of this process that does one piece of work beside it and says how that went: what a snapshot needs to stall nobody.

It knows the operating system, nothing of states or files. Only the thread that forks lives on in the copy. Locks that others held at that
moment are held there for ever, so the work must need none; where a class of the user's waits for one, the copy ends after `PATIENCE`
seconds without a pulse. What must never happen here: a copy that returns to its caller's code, acts upon a signal meant for its parent,
keeps its parent's sockets and locks alive, or outlives it by long.

    parent    fork -> wait: pulses, then the answer, from a pipe -> the process is reaped
    child     signals, descriptors and priority set -> work(pulse) -> the answer, with its length in front -> os._exit
"""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # without the enumerations that `signal` makes of it
import gc
import math
import os
import select
import struct
import sys
import threading
import time
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["PATIENCE", "Forked", "began", "can_fork", "fork", "go_first", "resident"]

PATIENCE = 120.0  # seconds; a pulse comes with each MiB
LOOK = 1.0  # seconds between two looks whether it lives, should somebody else hold the pipe open
NICENESS = 5
PULSE, ANSWER = b".", b"="
SIZE = struct.Struct("<I")


def can_fork() -> bool:
    """Whether a copy may be made: on macOS its system libraries do not survive it."""
    return hasattr(os, "fork") and sys.platform != "darwin"


def resident() -> int:
    """Bytes of memory that this process holds, which is what forking it takes time for; 0 where that is not known."""
    try:
        with open("/proc/self/statm", "rb") as file:  # proc_pid_statm(5): the second field
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def began() -> float:
    """When this process did, as time.time() counts; infinitely late where that is not known."""
    try:
        with open("/proc/self/stat", "rb") as file:  # proc_pid_stat(5): field 22, and the second may hold anything
            ticks = int(file.read().rpartition(b")")[2].split()[19])
        return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError):
        return math.inf


def fork(work: Callable[[Callable[[], None]], bytes]) -> Forked:
    """Have a copy of this process do `work(pulse)`, which calls `pulse` as it gets on and gives an answer. Raises OSError where none can be made."""
    _expect_warning()
    reader, writer = os.pipe()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    begun = time.perf_counter()
    try:
        pid = os.fork()
        if pid == 0:
            _live(work, writer)
    except BaseException:
        os.close(reader)
        raise
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        os.close(writer)
    return Forked(pid, reader, time.perf_counter() - begun)


def _expect_warning() -> None:
    """Python 3.12 and later warn of a fork beside threads. This one is meant so; others are still warned of."""
    if sys.version_info >= (3, 12):
        warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning, __name__.replace(".", r"\."))


class Forked:
    """The copy, as its parent sees it. `seconds`: how long forking it took. One thread waits; any may kill."""

    def __init__(self, pid: int, reader: int, seconds: float) -> None:
        self.pid, self.seconds = pid, seconds
        self._reader, self._guard, self._reaped = reader, threading.Lock(), False
        self._status: int | None = None

    def wait(self) -> bytes:
        """Its answer, once it has ended. Raises ChildProcessError, which says how, where it ended without one."""
        try:
            said = self._listen()
        finally:
            os.close(self._reader)
            self._reap(0)
        if len(said) < SIZE.size or len(said) != SIZE.size + SIZE.unpack_from(said)[0]:
            raise ChildProcessError(f"the process that wrote it {_ended(self._status)}")
        return said[SIZE.size :]

    def kill(self) -> None:
        """End it now, whatever it does. May be repeated."""
        with self._guard:
            if not self._reaped:
                with suppress(ProcessLookupError):
                    os.kill(self.pid, signal.SIGKILL)

    def _listen(self) -> bytes:
        """What it says until it ends. Its end of the pipe closes then, unless a process forked meanwhile by somebody else has that, too."""
        poll, said = select.poll(), bytearray()
        poll.register(self._reader, select.POLLIN)
        while True:
            if not poll.poll(LOOK * 1000) and not self._reap(os.WNOHANG):
                continue
            if not poll.poll(0):
                return bytes(said[1:])
            part = os.read(self._reader, 1 << 16)
            if not part:
                return bytes(said[1:])
            said += part if said else part.lstrip(PULSE)

    def _reap(self, how: int) -> bool:
        """Take note of its end. Where somebody else did before (`os.wait`, SIGCHLD ignored), its status is not known."""
        with self._guard:
            if not self._reaped:
                try:
                    pid, status = os.waitpid(self.pid, how)
                except ChildProcessError:
                    self._reaped = True
                else:
                    self._reaped, self._status = pid != 0, os.waitstatus_to_exitcode(status) if pid else None
            return self._reaped


def _ended(status: int | None) -> str:
    if status is None:
        return "ended"
    if status == -signal.SIGALRM:
        return f"got no further for {PATIENCE:.0f} seconds and was ended"
    if status >= 0:
        return f"ended with status {status}"
    from signal import Signals

    return f"was ended by {Signals(-status).name}"


def go_first() -> None:
    """Have this process be the one that ends when memory runs out, where that can be asked for: nothing is lost with it."""
    with suppress(OSError), open("/proc/self/oom_score_adj", "wb") as file:
        file.write(b"1000")


# --- in the child ----------------------------------------------------------------------------------------------------


def _live(work: Callable[[Callable[[], None]], bytes], writer: int) -> NoReturn:
    """Everything the child does. Nothing else of this process runs there: no handler, no finalizer, no `finally` of a caller."""
    try:
        gc.disable()  # it would write to every object, so that none is shared with the parent any more
        _settle(writer)
        answer = work(lambda: _pulse(writer))
        _write(writer, ANSWER + SIZE.pack(len(answer)) + answer)
        os._exit(0)
    finally:
        os._exit(1)


def _settle(writer: int) -> None:
    """Be nobody's: no signal handlers, no descriptors, behind the parent in line for the processor and before it when memory runs out."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    for number in (signal.SIGINT, signal.SIGHUP):  # the terminal's are for the parent, which kills this one if it ends
        signal.signal(number, signal.SIG_IGN)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    _let_go(writer)
    with suppress(OSError):
        os.nice(NICENESS)
    go_first()


def _let_go(kept: int) -> None:
    """Each descriptor but one leads nowhere. None is closed: its number would be given to another file, where somebody writes to it."""
    nowhere = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for one in _descriptors():
        if one not in {kept, nowhere}:
            with suppress(OSError):
                os.dup2(nowhere, one)


def _descriptors() -> Iterable[int]:
    with suppress(OSError):
        return [int(name) for name in os.listdir("/proc/self/fd")]
    return range(os.sysconf("SC_OPEN_MAX"))


def _pulse(writer: int) -> None:
    """It gets on. A parent that is gone makes the write fail, and the work end."""
    os.write(writer, PULSE)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)


def _write(writer: int, data: bytes) -> None:
    while data:
        data = data[os.write(writer, data) :]
