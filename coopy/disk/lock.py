"""Who may write into a directory: one process, found by what the operating system gives back however that ends; and what a forked child is told.

What must never happen here: a lock that a forked child gives back for its parent.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import weakref
from contextlib import suppress
from time import sleep
from typing import TYPE_CHECKING

from coopy.disk.door import CELLS
from coopy.disk.files import open_regular
from coopy.error import LockedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RealLock", "after_fork_in_child", "held_by"]

LOCK = "LOCK"
CELLS_AT = 512
LOCK_SIZE = 1024
GRACE, LOOK = 10.0, 0.01  # seconds for whoever has it for a moment: children of a killed process that close what they inherited, `held_by`

_held: dict[tuple[int, int], weakref.ref[RealLock]] = {}  # by device and inode of the directory: a path may be spelled in many ways
_hooks: list[Callable[[], Callable[[], None] | None]] = []


class RealLock:
    """Holds a directory by flock on it and on its file LOCK; on both, so that deleting LOCK by hand lets nobody in.

    The operating system gives both back when the last descriptor is closed, however the process ends. A child in its first moments has copies
    of them still (any fork of the program's, `subprocess` between fork and exec), so whoever took the lock unlocks it, too. A forked child
    only closes: its unlock would free the parent's lock. A lock that nobody refers to any more is given back as well: whoever could write
    refers to it, and an opening that was interrupted again while it was being undone may have left one.
    """

    __slots__ = ("__weakref__", "_descriptors", "_key", "_map", "_pid", "_self", "cells")

    def __init__(self, directory: str) -> None:
        self._pid = os.getpid()
        self._descriptors: list[int] = []
        self._map: mmap.mmap | None = None
        self.cells = memoryview(b"")
        self._self = weakref.ref(self)
        self._key = (0, 0)
        path = f"{directory}/{LOCK}"
        about = os.stat(directory)
        self._key = (about.st_dev, about.st_ino)
        if _held.setdefault(self._key, self._self) is not self._self:
            raise _locked(directory, f"process {os.getpid()} (this one)")
        try:
            self._hold(os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), directory, path)
            fd = _open_lock(path)
            self._hold(fd, directory, path)
            os.pwrite(fd, _holder(self._pid).encode().ljust(CELLS_AT, b"\0")[:CELLS_AT], 0)
            missing = LOCK_SIZE - os.fstat(fd).st_size
            if missing > 0:  # written, not only made longer: storing to a page without room on disk would kill the process
                os.pwrite(fd, bytes(missing), LOCK_SIZE - missing)
            self._map = mmap.mmap(fd, LOCK_SIZE)
            self.cells = memoryview(self._map)[CELLS_AT : CELLS_AT + 8 * CELLS].cast("Q")
        except BaseException:
            self.release()
            raise

    def _hold(self, fd: int, directory: str, path: str) -> None:
        self._descriptors.append(fd)
        left = GRACE
        while not _got(fd):
            if left <= 0 or not _is_stale(path):
                raise _locked(directory, _named_holder(path))
            sleep(LOOK)
            left -= LOOK

    def holds(self, directory: str) -> bool:
        """As Lock says."""
        try:
            about = os.stat(directory)
        except OSError:
            return False
        return (about.st_dev, about.st_ino) == self._key

    def release(self) -> None:
        """As Lock says, and what a forked child does with its parent's lock. The mapping has a descriptor of its own, which holds as the others do."""
        self.cells.release()
        if self._map is not None:
            with suppress(BufferError):
                self._map.close()
            self._map = None
        descriptors, self._descriptors = self._descriptors, []
        for fd in descriptors:
            with suppress(OSError):
                if os.getpid() == self._pid:
                    fcntl.flock(fd, fcntl.LOCK_UN)
                os.close(fd)
        if _held.get(self._key) is self._self:
            del _held[self._key]

    __del__ = release


def after_fork_in_child(hook: Callable[[], None]) -> None:
    """Call this method of an object in every forked child, as long as the object lives; the child holds no locks any more then."""
    _hooks[:] = [one for one in _hooks if one() is not None]
    _hooks.append(weakref.WeakMethod(hook))


def _after_fork() -> None:
    for lock in [reference() for reference in _held.values()]:
        if lock is not None:
            lock.release()
    for hook in [reference() for reference in _hooks]:
        if hook is not None:
            hook()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _got(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _open_lock(path: str) -> int:
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
    return open_regular(path, os.O_RDWR)


def _holder(pid: int) -> str:
    """Who that is on this machine, for people to read."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            boot = file.read().strip()
    except OSError:
        boot = "unknown"
    return f"process {pid} on {os.uname().nodename}, boot {boot}\n"


def _is_stale(path: str) -> bool:
    """Whether the file LOCK names nobody who could hold it: a process of this machine that has ended, or this one, which does not."""
    text = _text(path)
    pid = next((int(word) for word in text.split() if word.isdecimal()), 0)
    if pid == 0 or text != _holder(pid):
        return False
    try:
        os.kill(pid, 0)
    except OSError as error:
        return error.errno == errno.ESRCH
    return pid == os.getpid()


def held_by(directory: str) -> str:
    """Who has a directory open for writing, as the file LOCK says; empty if nobody does.

    For that the lock is tried, and given back at once: who opens the directory in that very moment waits, or is refused where LOCK still names
    another process that lives. Whoever has it notices nothing.
    """
    path = f"{directory}/{LOCK}"
    try:
        fd = open_regular(path, os.O_RDONLY)
    except FileNotFoundError:
        return ""
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _named_holder(path)
    finally:
        os.close(fd)
    return ""


def _named_holder(path: str) -> str:
    """What the file LOCK says about who holds it."""
    return _text(path).split(",")[0].strip() or "another process"


def _text(path: str) -> str:
    try:
        fd = open_regular(path, os.O_RDONLY)
    except (OSError, UsageError):
        return ""
    try:
        return os.pread(fd, CELLS_AT, 0).rstrip(b"\0").decode("utf-8", "replace")
    finally:
        os.close(fd)


def _locked(directory: str, holder: str) -> LockedError:
    what = f"{directory} is open for writing by {holder}. Nothing was changed. Close it there first, or wait."
    return LockedError(what, path=directory, holder=holder)
