"""The operating system, Linux or macOS, as a disk; and which directories no system should live in."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from coopy.disk.files import RealFile, open_regular
from coopy.disk.lock import RealLock
from coopy.error import UsageError
from coopy.forked import can_fork, fork, resident

if TYPE_CHECKING:
    import struct
    from collections.abc import Callable

    from coopy.disk.door import Child, File, Lock

__all__ = ["RealDisk"]

LOST_OVER_NETWORKS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "coda", "davfs"}
    | {"fuse.sshfs", "fuse.s3fs", "fuse.gcsfuse", "fuse.goofys", "fuse.rclone", "fuse.glusterfs"}
)


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
        return self.file(path, open_regular(path, os.O_RDWR))

    def open_read(self, path: str) -> File:
        """As Disk says."""
        return self.file(path, open_regular(path, os.O_RDONLY))

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
