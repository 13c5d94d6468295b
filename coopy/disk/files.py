"""A file of the operating system.

What must never happen here: a sync that failed and later counts as done; a write that is shorter than asked and says nothing.
"""

from __future__ import annotations

import errno
import mmap
import os
import stat
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from coopy.disk.door import PIECE, UnreadableError
from coopy.error import UsageError
from coopy.signalled import from_signal

if sys.platform == "darwin":
    import fcntl

if TYPE_CHECKING:
    from coopy.disk.door import Window

__all__ = ["RealFile", "open_regular"]

NO_RESERVING = frozenset({errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.ENODEV, errno.EPERM})


class RealFile:
    """A file descriptor."""

    __slots__ = ("_failure", "_fd", "path")

    def __init__(self, path: str, fd: int) -> None:
        self.path, self._fd, self._failure = path, fd, None

    _failure: OSError | None

    def write(self, offset: int, data: bytes | memoryview) -> None:
        """As File says."""
        if self._failure is not None:
            raise self._again()
        done = os.pwrite(self._fd, data, offset)
        if done != len(data):
            self._write_rest(offset, data, done)

    def publish(self, offset: int, data: bytes) -> None:
        """As File says."""
        if self._failure is not None:
            raise self._again()
        fd = self._fd
        done = os.pwrite(fd, data[1:], offset + 1) + 1
        if done != len(data):
            self._write_rest(offset, data, done)
        if os.pwrite(fd, data[:1], offset) != 1:
            self._write_rest(offset, data[:1], 0)

    def _write_rest(self, offset: int, data: bytes | memoryview, done: int) -> None:
        rest = memoryview(data)
        while done < len(rest):
            more = os.pwrite(self._fd, rest[done:], offset + done)
            if more <= 0:
                raise OSError(errno.EIO, "a write wrote nothing", self.path)
            done += more

    def read(self, offset: int, size: int) -> bytes:
        """As File says."""
        data = self._read(offset, size)
        if len(data) in {0, size}:
            return data
        parts = [data]
        while data:
            offset, size = offset + len(data), size - len(data)
            data = self._read(offset, size) if size else b""
            parts.append(data)
        return b"".join(parts)

    def _read(self, offset: int, size: int) -> bytes:
        """One read: what comes before a bad sector is given, so that the next one fails where it begins."""
        try:
            return os.pread(self._fd, size, offset)
        except OSError as error:
            raise UnreadableError(error, self.path, offset) from error

    def sync(self) -> None:
        """As File says. CPython looks for signals after a call that succeeds, not before a handler: an interrupt cannot lose a failure."""
        if self._failure is not None:
            raise self._again()
        if self._fd < 0:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF), self.path)
        try:
            _force(self._fd)
        except OSError as error:
            if not from_signal(error):
                self._failure = error
            raise

    def reserve(self, offset: int, size: int, piece: int = PIECE) -> bool:
        """As File says. Zeros are written, too: storing to a page that never was costs 3.5 us, and syncing it is slower.

        Linux keeps in one piece (a folio) what was written in one, and syncs it whole.
        """
        if not hasattr(os, "posix_fallocate"):
            return False
        end = self.size()
        try:
            os.posix_fallocate(self._fd, offset, size)
        except OSError as error:
            if error.errno in NO_RESERVING:
                return False
            raise
        while end < offset + size:
            stop = min(end - end % piece + piece, offset + size)
            self.write(end, bytes(stop - end))
            end = stop
        return True

    def window(self, size: int) -> Window | None:
        """As File says."""
        try:
            return mmap.mmap(self._fd, size) if size else None
        except (OSError, ValueError):
            return None

    def truncate(self, size: int) -> None:
        """As File says."""
        if self._failure is not None:
            raise self._again()
        os.ftruncate(self._fd, size)

    def drop_cache(self) -> None:
        """As File says. posix_fadvise(2): pages that are dirty or in use stay, so sync before; some file systems do nothing."""
        if hasattr(os, "posix_fadvise"):
            with suppress(OSError):  # it is advice
                os.posix_fadvise(self._fd, 0, 0, os.POSIX_FADV_DONTNEED)

    def size(self) -> int:
        """As File says."""
        return os.fstat(self._fd).st_size

    def close(self) -> None:
        """As File says. What matters was synced before, and the descriptor is gone even where closing reports an error."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            with suppress(OSError):
                os.close(fd)

    def _again(self) -> OSError:
        failure = self._failure
        assert failure is not None
        return OSError(failure.errno, f"an earlier sync of this file failed ({failure.strerror}), what it holds is unknown", self.path)


if sys.platform == "darwin":

    def _force(fd: int) -> None:
        fcntl.fcntl(fd, fcntl.F_FULLFSYNC)  # fsync there leaves it in the drive's cache

else:
    _force = getattr(os, "fdatasync", os.fsync)


def open_regular(path: str, mode: int) -> int:
    """A descriptor of a regular file, never of what a link points to. O_NONBLOCK: a FIFO would wait for someone at its other end."""
    try:
        fd = os.open(path, mode | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
            raise _irregular(path) from error
        raise
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise _irregular(path)
    return fd


def _irregular(path: str) -> UsageError:
    return UsageError(f"{path} is not a regular file: only those are read. Nothing was changed. Move it out of this directory.", path=path)
