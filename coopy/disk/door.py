"""What the other rooms speak: the protocols of a disk, its files, its lock and its children, and what an error of theirs means.

Every method may raise OSError. Paths are strings. Files are made 0600, directories 0700. Knows no operating system.
"""

from __future__ import annotations

import errno
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, overload

if TYPE_CHECKING:
    import struct
    from collections.abc import Callable

__all__ = ["CELLS", "PIECE", "Child", "Disk", "File", "Lock", "UnreadableError", "Window", "is_full", "is_refused", "write_whole"]

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
NOT_MADE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EACCES, errno.EPERM, errno.EROFS})
TEMPORARY = ".tmp"
PIECE = 64 << 10  # bytes written at a time where nobody says otherwise
CELLS = 8


class UnreadableError(OSError):
    """The disk does not give what it holds. `filename`; `offset`: of the first byte that cannot be read."""

    def __init__(self, error: OSError, path: str, offset: int) -> None:
        super().__init__(error.errno, error.strerror, path)
        self.offset = offset

    def __str__(self) -> str:
        return f"{self.filename} cannot be read at offset {self.offset}: {self.strerror}."


class Window(Protocol):
    """The first bytes of a file, mapped into memory. What is stored here is written: it survives the process, and the machine once synced."""

    @overload
    def __setitem__(self, at: int, value: int, /) -> None: ...
    @overload
    def __setitem__(self, at: slice, value: bytes, /) -> None: ...

    def close(self) -> None:
        """Unmap; flushes nothing. Do not store afterwards."""


class File(Protocol):
    """An open file. One thread at a time uses it, but `sync` may run beside `write`."""

    @property
    def path(self) -> str:
        """Where it was opened."""

    def write(self, offset: int, data: bytes | memoryview) -> None:
        """Write all of `data` (bytes) at `offset`. After an error any part of it may be there."""

    def publish(self, offset: int, data: bytes) -> None:
        """Write all of `data`, its first byte last: who reads meanwhile, or is killed in the middle, finds nothing that looks begun."""

    def read(self, offset: int, size: int) -> bytes:
        """`size` bytes from `offset`, fewer at the end of the file. Raises UnreadableError."""

    def sync(self) -> None:
        """Force everything written, and the size, to stable storage. After one failure every later sync, write or truncate of this file fails."""

    def reserve(self, offset: int, size: int, piece: int = PIECE) -> bool:
        """Allocate `size` bytes of zeros from `offset` on, extending the file. False where the file system cannot.

        `piece`: so many bytes are written at a time, and may be synced as a whole when any of them was changed.
        """

    def window(self, size: int) -> Window | None:
        """Map the first `size` bytes, which the file has. None where that is impossible."""

    def truncate(self, size: int) -> None:
        """Cut or extend (by zeros) to `size` bytes."""

    def drop_cache(self) -> None:
        """Have later reads ask the disk, as far as the operating system lets one say so. Nothing that was synced is lost."""

    def size(self) -> int:
        """Bytes in the file."""

    def close(self) -> None:
        """Give the file back; syncs nothing. May be repeated."""


class Lock(Protocol):
    """A directory held for writing. `cells`: eight 64-bit numbers kept in the file LOCK: they survive the process, not always the machine."""

    @property
    def cells(self) -> memoryview:
        """Format "Q"; cannot be used after `release`."""

    def holds(self, directory: str) -> bool:
        """Whether what has this name now is the directory that is held."""

    def release(self) -> None:
        """Let others open the directory. May be repeated."""


class Child(Protocol):
    """A copy of this process that works beside it (coopy/forked.py). One thread waits; any may kill."""

    @property
    def seconds(self) -> float:
        """How long making it took."""

    def wait(self) -> bytes:
        """The answer of its work, once it has ended. Raises ChildProcessError, which says how, where it ended without one."""

    def kill(self) -> None:
        """End it now, whatever it does. May be repeated."""


class Disk(Protocol):
    """Files and directories by path; and processes, which are what it takes to write a file beside everything else."""

    def create(self, path: str) -> File:
        """A new empty file, for reading and writing. FileExistsError if something is there."""

    def open(self, path: str) -> File:
        """An existing file, for reading and writing. UsageError for anything but a regular file."""

    def open_read(self, path: str) -> File:
        """An existing file, for reading only. UsageError for anything but a regular file; never waits."""

    def read(self, path: str) -> bytes:
        """The whole content of a regular file."""

    def replace(self, old: str, new: str) -> None:
        """Give a file another name, in place of what has that name. On stable storage only after `sync_directory`."""

    def unlink(self, path: str) -> None:
        """Remove a name. On stable storage only after `sync_directory`."""

    def sync_directory(self, path: str) -> None:
        """Force the names in a directory to stable storage."""

    def make_directories(self, path: str) -> None:
        """Create a directory and what is missing above it, each on stable storage. Nothing to do where it is there."""

    def entries(self, path: str) -> list[str]:
        """The names in a directory, sorted."""

    def exists(self, path: str) -> bool:
        """Whether anything has this name, be it a dangling link."""

    def lock(self, directory: str) -> Lock:
        """Hold a directory for writing. LockedError if someone else does; one who died does not count."""

    def pack_into(self, fields: struct.Struct) -> Callable[..., None]:
        """How values are packed into a window: called with the window, an offset and the values."""

    def check_directory(self, path: str) -> None:
        """UsageError if no system should live there, saying what to do about it."""

    def can_fork(self) -> bool:
        """Whether `fork` is possible on this system."""

    def fork(self, work: Callable[[Callable[[], None]], bytes]) -> Child:
        """Have a copy of this process do `work(pulse)`, which calls `pulse` as it gets on and gives its answer. OSError where none can be made.

        Nothing of this process but `work` runs there, and it must need no lock that another thread may hold.
        """

    def resident(self) -> int:
        """Bytes of memory that this process holds; 0 where that is not known."""


def is_full(error: OSError) -> bool:
    """Whether it failed for want of room: disk, quota or file size limit."""
    return error.errno in FULL


def is_refused(error: OSError) -> bool:
    """Whether no file could be made, which says nothing about those that are there: no room, no descriptor, no right."""
    return error.errno in FULL | NOT_MADE


def write_whole(disk: Disk, directory: str, name: str, data: bytes) -> None:
    """Create or replace a file so that a crash leaves the old content or the new one, never a part. On stable storage when this returns."""
    path = f"{directory}/{name}"
    temporary = path + TEMPORARY
    if disk.exists(temporary):
        disk.unlink(temporary)
    file = disk.create(temporary)
    try:
        file.write(0, data)
        file.sync()
        disk.replace(temporary, path)
    except OSError:
        with suppress(OSError):  # what failed first is what the caller must hear
            disk.unlink(temporary)
        raise
    finally:
        file.close()
    disk.sync_directory(directory)
