"""A fake disk's files, windows, lock and children. Each asks its disk first, which counts the call and may have it fail."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from coopy.disk.door import PIECE, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.disk.door import Window
    from coopy.disk.fake import FakeDisk
    from coopy.disk.platters import Content, Names

__all__ = ["FakeChild", "FakeFile", "FakeLock", "PowerCut", "error"]


class PowerCut(BaseException):
    """The machine is off: this call and every later one of the disk raises it. `crash` or `kill` gives the disk that is found afterwards."""


class FakeFile:
    """As coopy.disk.File."""

    def __init__(self, disk: FakeDisk, path: str, content: Content, *, writable: bool) -> None:
        self.path, self._disk, self._content, self._writable = path, disk, content, writable
        self._failed = self._closed = False

    def write(self, offset: int, data: bytes | memoryview) -> None:
        """As File says."""
        self._check()
        trouble, content = self._disk.begin(f"write {self.path} {offset}+{len(data)}"), bytes(data)
        if trouble is not None:
            content = content[: int(len(content) * self._disk.share(trouble))]
        beyond = max(0, offset + len(content) - max(offset, self.size()))
        lacking = beyond - self._disk.room(beyond)
        if lacking:
            content, trouble = content[: len(content) - lacking], trouble or error(errno.ENOSPC, self.path)
        if content:
            self._content.put(offset, content)
        if trouble is not None:
            raise trouble

    def publish(self, offset: int, data: bytes) -> None:
        """As File says: two writes."""
        self.write(offset + 1, data[1:])
        self.write(offset, data[:1])

    def store(self, offset: int, data: bytes) -> None:
        """What a window does: it has no way to fail, but the power may go in the middle, or a signal come before or after."""
        if self._closed or offset + len(data) > self.size():
            raise ValueError("a store into a window that is not there would kill the process")
        trouble = self._disk.begin(f"store {self.path} {offset}+{len(data)}")
        if isinstance(trouble, OSError):
            trouble = None
        if trouble is not None:
            data = data[: int(len(data) * self._disk.share(trouble))]
        if data:
            self._content.put(offset, data)
        if trouble is not None:
            raise trouble

    def read(self, offset: int, size: int) -> bytes:
        """As File says."""
        self._check(reading=True)
        try:
            self._disk.ask(f"read {self.path} {offset}+{size}")
        except OSError as error:
            raise UnreadableError(error, self.path, offset) from error
        return bytes(self._content.data[offset : offset + size])

    def sync(self) -> None:
        """As File says."""
        self._check()
        trouble = self._disk.begin(f"sync {self.path}")
        if isinstance(trouble, OSError):
            self._failed = True
            self._content.fail_sync()
        elif trouble is None or self._disk.share(trouble) == 1:
            self._content.sync()
        if trouble is not None:
            raise trouble

    def reserve(self, offset: int, size: int, piece: int = PIECE) -> bool:
        """As File says. All at once, whatever the piece."""
        assert piece
        self._check()
        trouble, asked = self._disk.begin(f"reserve {self.path} {offset}+{size}"), max(0, offset + size - self.size())
        given = asked if trouble is None else int(asked * self._disk.share(trouble))
        given = self._disk.room(given)
        if given:
            self._content.resize(self.size() + given)
        if trouble is None and given < asked:
            trouble = error(errno.ENOSPC, self.path)
        if trouble is not None:
            raise trouble
        return True

    def window(self, size: int) -> Window | None:
        """As File says."""
        if not 0 < size <= self.size():
            return None
        return FakeWindow(FakeFile(self._disk, self.path, self._content, writable=True), size)

    def truncate(self, size: int) -> None:
        """As File says."""
        self._check()
        trouble = self._disk.begin(f"truncate {self.path} {size}")
        if trouble is None or self._disk.share(trouble) == 1:
            self._content.resize(size)
        if trouble is not None:
            raise trouble

    def drop_cache(self) -> None:
        """As File says. Nothing to do: what is read here is what was written."""

    def size(self) -> int:
        """As File says."""
        return len(self._content.data)

    def close(self) -> None:
        """As File says."""
        self._closed = True

    def _check(self, *, reading: bool = False) -> None:
        if self._closed or not (reading or self._writable):
            raise error(errno.EBADF, self.path)
        if self._failed and not reading:
            raise error(errno.EIO, self.path)


class FakeWindow:
    """As coopy.disk.Window. `file` is one of its own: closing the one it was made from does not unmap it."""

    def __init__(self, file: FakeFile, size: int) -> None:
        self._file: FakeFile | None = file
        self._size = size

    def __setitem__(self, at: int | slice, value: int | bytes, /) -> None:
        if self._file is None:
            raise ValueError("mmap closed or invalid")
        if isinstance(at, int):
            assert isinstance(value, int)
            start, stop, data = at, at + 1, bytes((value,))
        else:
            assert isinstance(value, bytes)
            start, stop, data = at.start or 0, self._size if at.stop is None else at.stop, value
        if stop > self._size or stop - start != len(data):
            raise IndexError("mmap slice assignment is wrong size")
        self._file.store(start, data)

    def close(self) -> None:
        """As Window says."""
        self._file = None


class FakeLock:
    """As coopy.disk.Lock."""

    def __init__(self, disk: FakeDisk, held: dict[int, str], names: Names, content: Content) -> None:
        self._disk, self._held, self._names = disk, held, names
        self.cells = memoryview(content.cells).cast("Q")

    def holds(self, directory: str) -> bool:
        """As Lock says."""
        try:
            return self._disk._directory(directory) is self._names  # noqa: SLF001 - they are one
        except OSError:
            return False

    def release(self) -> None:
        """As Lock says."""
        self.cells.release()
        self._held.pop(id(self._names), None)


class FakeChild:
    """As coopy.disk.Child."""

    seconds = 0.0

    def __init__(self, work: Callable[[Callable[[], None]], bytes]) -> None:
        self._answer: bytes | None = None
        try:
            self._answer = work(self.kill)
        except BaseException as error:  # noqa: BLE001 - it is another process's
            self._failure = error

    def wait(self) -> bytes:
        """As Child says. A power cut is everybody's."""
        if self._answer is not None:
            return self._answer
        if isinstance(self._failure, PowerCut):
            raise self._failure
        raise ChildProcessError(f"the process that wrote it was ended by {type(self._failure).__name__}")

    def kill(self) -> None:
        """As Child says. It has ended already."""


def error(number: int, what: str) -> OSError:
    """As the operating system says it."""
    return OSError(number, os.strerror(number), what)
