"""A Unix socket: `host="unix:wiki.sock"`, a file on this machine that one user may connect to.

The file is that user's alone from its first moment. Whatever the path leads to, each side asks the system who is at the other end, before it says
anything: the same user, or root. The file of a process that died is taken over; one behind which somebody listens, or that is no socket or
another user's, stays as it is. Who takes a path holds the folder meanwhile, so that of two who find a dead one's file one gets it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import stat
import struct
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from coopy.error import AuthenticationError, UsageError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

__all__ = ["UnixFile", "absolute", "check_path", "check_peer", "is_unix", "path_of"]

PREFIX = "unix:"
LONGEST = 107  # bytes of a path, as the system has it
CREDENTIALS = struct.Struct("3i")  # process, user, group
ROOT = 0


def is_unix(host: str) -> bool:
    """Whether a host is a Unix socket."""
    return host.startswith(PREFIX)


def absolute(host: str) -> str:
    """The same place, also for a process that works in another directory; any other host as it is."""
    return PREFIX + path_of(host) if is_unix(host) and host != PREFIX else host


def path_of(host: str) -> str:
    """The path of the file."""
    return str(Path(host[len(PREFIX) :]).absolute())


def check_path(host: str, tls: ssl.SSLContext | None) -> None:
    """Raises UsageError where it cannot be one."""
    if not hasattr(socket, "SO_PEERCRED"):
        raise UsageError(f"host={host!r}: this system does not say who is at the other end of a Unix socket. Use 127.0.0.1.", option="host")
    if tls is not None:
        raise UsageError(f"tls= means nothing with host={host!r}: nothing leaves this machine. Leave it out.", option="tls")
    if host == PREFIX or "\0" in host:
        raise UsageError(f"host={host!r} is no path of a Unix socket.", option="host")
    if len(os.fsencode(path_of(host))) > LONGEST:
        raise UsageError(f"{path_of(host)} is too long for a Unix socket: at most {LONGEST} bytes. Choose a shorter path.", option="host")


def check_peer(connected: socket.socket, host: str) -> str:
    """Who is at the other end, for people. Raises AuthenticationError for another user. Nothing was said yet."""
    process, user, _ = CREDENTIALS.unpack(connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size))
    if user not in {os.geteuid(), ROOT}:
        what = f"Process {process} of user {user} is at the other end of {host}, and this is user {os.geteuid()}"
        raise AuthenticationError(f"{what}. Nothing was sent to it, nothing was read. Run both as one user.")
    return f"process {process}"


class UnixFile:
    """The file behind which a primary listens. `socket` listens already. Raises UsageError where the path cannot be had."""

    def __init__(self, host: str) -> None:
        self._path = Path(path_of(host))
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with _held(self._path.parent):
                self._clear()
                os.fchmod(self.socket.fileno(), 0o600)  # what the file begins with
                self.socket.bind(str(self._path))
                self.socket.listen(128)
                self._mark = _mark(self._path)
        except OSError as error:
            self.socket.close()
            raise self._taken(error.strerror or str(error)) from error
        except BaseException:
            self.socket.close()
            raise

    def remove(self) -> None:
        """Nobody finds it any more. Another's file at this path stays. The socket is to be open yet: so its file is told from any other."""
        with suppress(OSError), _held(self._path.parent):
            if _mark(self._path) == self._mark:
                self._path.unlink()

    def _clear(self) -> None:
        """What is there goes, if it is what a process of this user left that died."""
        try:
            found = self._path.lstat()
        except FileNotFoundError:
            return
        if not stat.S_ISSOCK(found.st_mode):
            raise self._taken("what is there is no socket")
        if found.st_uid != os.geteuid():
            raise self._taken(f"what is there belongs to user {found.st_uid}, and this is user {os.geteuid()}")
        if self._is_alive():
            raise self._taken("another process listens there")
        self._path.unlink()

    def _is_alive(self) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(0)
            return probe.connect_ex(str(self._path)) != errno.ECONNREFUSED

    def _taken(self, why: str) -> UsageError:
        return UsageError(f"A primary cannot listen at {self._path}: {why}. Nothing was changed there. Choose another path.", option="host")


def _mark(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_dev, found.st_ino


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)
