"""The one door to the operating system: files, directories, the lock of a data directory, a copy of this process; and what differs between systems.

It knows errors and the standard library, nothing of journals. What must never happen here: a sync that failed and later counts as done;
a write that is shorter than asked and says nothing; a lock that a forked child gives back for its parent.

`Disk`, `File`, `Window` and `Lock` are the protocols the other rooms speak; `RealDisk` is the operating system, `coopy/fake_disk.py` one
in memory that forgets what was not synced. Every method may raise OSError. Paths are strings. Files are made 0600, directories 0700.
"""

from __future__ import annotations

import errno
import mmap
import os
import stat
import sys
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar, Protocol, overload

from coopy.error import LockedError, UsageError
from coopy.forked import can_fork, fork, resident

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    import struct
    from collections.abc import Callable

__all__ = [
    "CELLS",
    "Child",
    "Disk",
    "File",
    "Lock",
    "RealDisk",
    "UnreadableError",
    "Window",
    "after_fork_in_child",
    "held_by",
    "is_full",
    "is_refused",
    "write_whole",
]

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
NOT_MADE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EACCES, errno.EPERM, errno.EROFS})
NO_RESERVING = frozenset({errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.ENODEV, errno.EPERM})
TEMPORARY = ".tmp"
LOCK = "LOCK"
PIECE = 64 << 10  # bytes written at a time where nobody says otherwise
CELLS = 8
CELLS_AT = 512
LOCK_SIZE = 1024
LOST_OVER_NETWORKS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "coda", "davfs"}
    | {"fuse.sshfs", "fuse.s3fs", "fuse.gcsfuse", "fuse.goofys", "fuse.rclone", "fuse.glusterfs"}
)


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


# --- the operating system --------------------------------------------------------------------------------------------


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


class RealDisk:
    """The operating system: Linux or macOS. `mounts`: the file that lists what is mounted, where there is one."""

    file: ClassVar[type[RealFile]] = RealFile

    def __init__(self, mounts: str = "/proc/self/mountinfo") -> None:
        if os.name != "posix":
            raise UsageError(f"coopy does not run on {sys.platform}: it needs Linux or macOS. Nothing was changed.")
        self._mounts = mounts

    def create(self, path: str) -> File:
        """As Disk says."""
        return self.file(path, os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))

    def open(self, path: str) -> File:
        """As Disk says."""
        return self.file(path, _open_regular(path, os.O_RDWR))

    def open_read(self, path: str) -> File:
        """As Disk says."""
        return self.file(path, _open_regular(path, os.O_RDONLY))

    def read(self, path: str) -> bytes:
        """As Disk says."""
        file = self.open_read(path)
        try:
            return file.read(0, file.size())
        finally:
            file.close()

    def replace(self, old: str, new: str) -> None:
        """As Disk says."""
        os.replace(old, new)

    def unlink(self, path: str) -> None:
        """As Disk says."""
        os.unlink(path)

    def sync_directory(self, path: str) -> None:
        """As Disk says."""
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def make_directories(self, path: str) -> None:
        """As Disk says. The parent is synced also where the directory is there: a crash may have come between the two last time."""
        parent = os.path.dirname(os.path.abspath(path))
        if not os.path.isdir(path):
            if not os.path.isdir(parent):
                self.make_directories(parent)
            with suppress(FileExistsError):
                os.mkdir(path, 0o700)
        self.sync_directory(parent)

    def entries(self, path: str) -> list[str]:
        """As Disk says."""
        return sorted(os.listdir(path))

    def exists(self, path: str) -> bool:
        """As Disk says."""
        return os.path.lexists(path)

    def lock(self, directory: str) -> Lock:
        """As Disk says."""
        return RealLock(directory)

    def pack_into(self, fields: struct.Struct) -> Callable[..., None]:
        """As Disk says."""
        return fields.pack_into

    def check_directory(self, path: str) -> None:
        """As Disk says."""
        about = os.stat(path)
        if not stat.S_ISDIR(about.st_mode):
            raise _unfit(path, "it is a file", "choose another name for the directory")
        if about.st_mode & stat.S_IWOTH:
            raise _unfit(path, "everyone may write there, so anyone could plant code to be run", "`chmod o-w` it, or choose another one")
        if about.st_uid not in {os.geteuid(), 0}:
            raise _unfit(path, f"it belongs to user {about.st_uid}, who could plant code to be run", "`chown` it, or choose another one")
        if not os.access(path, os.R_OK | os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
            raise _unfit(path, "it cannot be written to", "give this user the right to, or choose another one")
        kind = _file_system(os.path.realpath(path), self._mounts)
        if kind in LOST_OVER_NETWORKS:
            raise _unfit(path, f"it lies on a network file system ({kind}), where locks and syncs prove nothing", "choose a local one")

    def can_fork(self) -> bool:
        """As Disk says."""
        return can_fork()

    def fork(self, work: Callable[[Callable[[], None]], bytes]) -> Child:
        """As Disk says."""
        return fork(work)

    def resident(self) -> int:
        """As Disk says."""
        return resident()


def _open_regular(path: str, mode: int) -> int:
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


def _unfit(path: str, why: str, remedy: str) -> UsageError:
    return UsageError(f"{path} cannot hold a system: {why}. Nothing was changed. Please {remedy}.", path=path)


def _file_system(path: str, mounts: str) -> str:
    """The type of the file system a path lies on, as `mounts` (proc_pid_mountinfo(5)) names it; empty where it is not known."""
    try:
        with open(mounts, "rb") as file:
            lines = file.read().splitlines()
    except OSError:
        return ""
    here, best, kind = os.fsencode(path) + b"/", b"", b""
    for line in lines:
        front, _, back = line.partition(b" - ")
        point = front.split(b" ")[4].replace(b"\\040", b" ").replace(b"\\011", b"\t").replace(b"\\012", b"\n").replace(b"\\134", b"\\")
        if here.startswith(point.rstrip(b"/") + b"/") and len(point) >= len(best):  # of two on one point, the later hides the earlier
            best, kind = point, back.split(b" ")[0]
    return kind.decode("ascii", "replace")


# --- the lock --------------------------------------------------------------------------------------------------------

_held: dict[tuple[int, int], RealLock] = {}  # by device and inode of the directory: a path may be spelled in many ways
_hooks: list[Callable[[], Callable[[], None] | None]] = []


class RealLock:
    """Holds a directory by flock on it and on its file LOCK; on both, so that deleting LOCK by hand lets nobody in.

    The operating system gives both back when the last descriptor is closed, however the process ends. Only by closing: an explicit
    unlock in a forked child would free the parent's lock.
    """

    __slots__ = ("_descriptors", "_key", "_map", "cells")

    def __init__(self, directory: str) -> None:
        self._descriptors: list[int] = []
        self._map: mmap.mmap | None = None
        self.cells = memoryview(b"")
        path = f"{directory}/{LOCK}"
        about = os.stat(directory)
        self._key = (about.st_dev, about.st_ino)
        if _held.setdefault(self._key, self) is not self:
            raise _locked(directory, f"process {os.getpid()} (this one)")
        try:
            self._hold(os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), directory, path)
            fd = _open_lock(path)
            self._hold(fd, directory, path)
            os.pwrite(fd, _holder().encode().ljust(CELLS_AT, b"\0")[:CELLS_AT], 0)
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
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _locked(directory, _named_holder(path)) from error

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
                os.close(fd)
        if _held.get(self._key) is self:
            del _held[self._key]


def after_fork_in_child(hook: Callable[[], None]) -> None:
    """Call this method of an object in every forked child, as long as the object lives; the child holds no locks any more then."""
    _hooks[:] = [one for one in _hooks if one() is not None]
    _hooks.append(weakref.WeakMethod(hook))


def _after_fork() -> None:
    for lock in list(_held.values()):
        lock.release()
    for hook in [reference() for reference in _hooks]:
        if hook is not None:
            hook()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _open_lock(path: str) -> int:
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
    return _open_regular(path, os.O_RDWR)


def _holder() -> str:
    """Who this is, for people to read."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            boot = file.read().strip()
    except OSError:
        boot = "unknown"
    return f"process {os.getpid()} on {os.uname().nodename}, boot {boot}\n"


def held_by(directory: str) -> str:
    """Who has a directory open for writing, as the file LOCK says; empty if nobody does.

    For that the lock is tried, and given back at once: who opens the directory in that very moment is refused. Whoever has it notices nothing.
    """
    path = f"{directory}/{LOCK}"
    try:
        fd = _open_regular(path, os.O_RDONLY)
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
    try:
        fd = _open_regular(path, os.O_RDONLY)
    except (OSError, UsageError):
        return "another process"
    try:
        return os.pread(fd, CELLS_AT, 0).rstrip(b"\0").decode("utf-8", "replace").split(",")[0].strip() or "another process"
    finally:
        os.close(fd)


def _locked(directory: str, holder: str) -> LockedError:
    what = f"{directory} is open for writing by {holder}. Nothing was changed. Close it there first, or wait."
    return LockedError(what, path=directory, holder=holder)
