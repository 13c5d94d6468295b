"""A disk in memory that forgets what was not synced: what tests of crashes and failures run on.

It keeps the protocol of coopy/disk.py, which it may know; nothing else. What must never happen here: a crash that keeps less than what was
synced (it would blame the innocent), or one that can only keep all or nothing (it would find nothing).

    file        since its last sync, each 512-byte sector may be as any of the writes left it, or as before them; and the size as any
                change left it. What a size cut off stays cut off as long as that size counts.
    directory   each name made, moved or removed since its last sync may be so or not; a rename is one such change, also where it leads to
                another directory: it is certain once either of both was synced
    failed sync says so once, and takes what was written for clean (as Linux does): a later sync has nothing to write, a crash loses it
"""

from __future__ import annotations

import copy
import errno
import os
import random
import threading
from typing import TYPE_CHECKING, TypeAlias

from coopy.disk import CELLS, PIECE, UnreadableError
from coopy.error import LockedError, UsageError

if TYPE_CHECKING:
    import struct
    from collections.abc import Callable, Iterator, Mapping

    from coopy.disk import Child, File, Lock, Window

__all__ = ["FakeDisk", "PowerCut"]

SECTOR = 512
INTERRUPT, SHORT = "interrupt", "short"
CHANGES = ("create", "write", "store", "sync", "reserve", "truncate", "replace", "unlink", "mkdir", "sync_directory", "lock")


class PowerCut(BaseException):
    """The machine is off: this call and every later one of the disk raises it. `crash` or `kill` gives the disk that is found afterwards."""


# --- what is on the platters and in the cache ------------------------------------------------------------------------


class _Content:
    """A file's bytes: `data` as programs see them, `durable` as they were at the last sync, and what happened between."""

    def __init__(self) -> None:
        self.data, self.durable, self.cells = bytearray(), bytearray(), bytearray(8 * CELLS)
        self.sizes = [0]  # the durable size, and every one since
        self.versions: dict[int, list[tuple[int, bytes]]] = {}  # by sector: what it held since, and how many sizes there were then
        self.doubtful: dict[int, list[tuple[int, bytes]]] = {}  # the same, that a failed sync took for clean

    def put(self, offset: int, data: bytes) -> None:
        if len(self.data) < offset + len(data):
            self.resize(offset + len(data))
        self.data[offset : offset + len(data)] = data
        for sector in range(offset // SECTOR, -(-(offset + len(data)) // SECTOR)):
            content = bytes(self.data[sector * SECTOR : (sector + 1) * SECTOR])
            self.versions.setdefault(sector, []).append((len(self.sizes), content))

    def resize(self, size: int) -> None:
        if size < len(self.data):
            del self.data[size:]
            for sector in [sector for sector in self.doubtful if sector * SECTOR >= size]:
                del self.doubtful[sector]
        self.data.extend(bytes(size - len(self.data)))
        self.sizes.append(size)

    def sync(self) -> None:
        _follow(self.durable, self.sizes)
        self.doubtful = {sector: [(1, content) for _, content in versions] for sector, versions in self.doubtful.items()}
        for sector in self.versions:
            self.durable[sector * SECTOR : (sector + 1) * SECTOR] = self.data[sector * SECTOR : (sector + 1) * SECTOR]
            self.doubtful.pop(sector, None)
        self.sizes, self.versions = [len(self.data)], {}

    def fail_sync(self) -> None:
        for sector, versions in self.versions.items():
            self.doubtful.setdefault(sector, []).extend(versions)
        self.versions = {}

    def after_crash(self, rng: random.Random, _fates: dict[int, bool]) -> _Content:
        """What is found: the sizes up to some point, each sector in some version."""
        keep = rng.choice((0.0, 0.5, 0.5, 0.9, 1.0))
        count = len(self.sizes) if keep == 1 else rng.randint(1, len(self.sizes))
        found = bytearray(self.durable)
        _follow(found, self.sizes[:count])
        for sector in self.versions.keys() | self.doubtful.keys():
            candidates = self.doubtful.get(sector, []) + self.versions.get(sector, [])
            if rng.random() < keep:
                when, content = candidates[-1] if rng.random() < keep else rng.choice(candidates)
                self._settle(found, sector, content, self.sizes[when:count])
        after = _Content()
        after.data, after.durable, after.sizes = found, bytearray(found), [len(found)]
        if rng.random() < keep:
            after.cells[:] = self.cells
        return after

    def _settle(self, found: bytearray, sector: int, content: bytes, later: list[int]) -> None:
        start = sector * SECTOR
        cut = min(later, default=start + SECTOR) - start
        stop = min(start + len(content), len(found))
        if cut > 0 and stop > start:
            found[start:stop] = content[:cut].ljust(SECTOR, b"\0")[: stop - start]


def _follow(data: bytearray, sizes: list[int]) -> None:
    for size in sizes:
        del data[size:]
        data.extend(bytes(size - len(data)))


class _Names:
    """A directory: `now` as programs see it; `changes` since the first that is not certain, each with whether it is."""

    def __init__(self) -> None:
        self.now: dict[str, _Node] = {}
        self.durable: dict[str, _Node] = {}
        self.changes: list[tuple[dict[str, _Node | None], _Fate]] = []

    def change(self, names: dict[str, _Node | None], fate: _Fate) -> None:
        _apply(self.now, names)
        self.changes.append((names, fate))

    def sync(self) -> None:
        for _, fate in self.changes:
            fate.settle("certain")
        while self.changes and self.changes[0][1].state == "certain":
            _apply(self.durable, self.changes.pop(0)[0])

    def fail_sync(self) -> None:
        for _, fate in self.changes:
            fate.settle("doubtful")

    def after_crash(self, rng: random.Random, fates: dict[int, bool]) -> _Names:
        keep, names = rng.choice((0.0, 0.5, 0.5, 1.0)), dict(self.durable)
        for change, fate in self.changes:
            if fates.setdefault(id(fate), fate.state == "certain" or rng.random() < keep):
                _apply(names, change)
        after = _Names()
        after.durable = {name: node.after_crash(rng, fates) for name, node in names.items()}
        after.now = dict(after.durable)
        return after


class _Fate:
    """Whether a change of names survives a crash: "open", "certain", or "doubtful" after a failed sync. A move to another directory has one for both."""

    def __init__(self) -> None:
        self.state = "open"

    def settle(self, state: str) -> None:
        if self.state == "open":
            self.state = state


_Node: TypeAlias = _Content | _Names


def _apply(names: dict[str, _Node], change: dict[str, _Node | None]) -> None:
    for name, node in change.items():
        if node is None:
            names.pop(name, None)
        else:
            names[name] = node


# --- the door --------------------------------------------------------------------------------------------------------


class FakeDisk:
    """As coopy.disk.Disk. `calls`: what it was asked so far, one line each; the first is number 1. `capacity`: bytes in all files, or None.

    `seed` decides how far a call gets that fails or meets a power cut.
    """

    def __init__(self, seed: int = 0, capacity: int | None = None) -> None:
        self.calls: list[str] = []
        self.capacity = capacity
        self._rng, self._guard = random.Random(seed), threading.RLock()  # noqa: S311 - it chooses how to fail
        self._root: _Names = _Names()
        self._held: dict[int, str] = {}
        self._cut, self._off = 0, False
        self._failures: dict[int, int | str] = {}

    # --- what tests do to it -----------------------------------------------------------------------------------------

    def crash_at(self, nth: int) -> None:
        """Cut the power at the nth call, before, within or after it."""
        self._cut = nth

    def fail(self, nth: int, how: int | str) -> None:
        """Let the nth call fail once: with this errno; "short": part of it is done, then there is no room; "interrupt": KeyboardInterrupt in it."""
        self._failures[nth] = how

    def changes(self) -> list[int]:
        """The numbers of the calls so far that change something: where a crash makes a difference."""
        return [number for number, call in enumerate(self.calls, 1) if call.split(" ", 1)[0] in CHANGES]

    def crash(self, rng: random.Random) -> FakeDisk:
        """The disk as it is found after a power cut now: on it everything is on stable storage."""
        found = FakeDisk(rng.getrandbits(32), self.capacity)
        found._root = self._root.after_crash(rng, {})
        return found

    def kill(self) -> FakeDisk:
        """The disk as another process finds it after this one died now: everything written is there, synced or not."""
        found = FakeDisk(self._rng.getrandbits(32), self.capacity)
        found._root = copy.deepcopy(self._root)
        return found

    def contents(self) -> dict[str, bytes]:
        """The bytes of every file by its path."""
        return dict(_files(self._root, ""))

    def put(self, contents: Mapping[str, bytes]) -> None:
        """Have these files, on stable storage, as `contents` gave them."""
        for path, data in contents.items():
            *folders, name = _parts(path)
            names = self._root
            for folder in folders:
                inner = names.now.setdefault(folder, names.durable.setdefault(folder, _Names()))
                assert isinstance(inner, _Names)
                names = inner
            content = names.now[name] = names.durable[name] = _Content()
            content.put(0, data)
            content.sync()

    # --- as Disk says ------------------------------------------------------------------------------------------------

    def create(self, path: str) -> File:
        """As Disk says."""
        names, name = self._parent(path)
        if name in names.now:
            raise _error(errno.EEXIST, path)
        content = _Content()
        self._change(f"create {path}", [(names, {name: content})])
        return FakeFile(self, path, content, writable=True)

    def open(self, path: str) -> File:
        """As Disk says."""
        return self._open(path, writable=True)

    def open_read(self, path: str) -> File:
        """As Disk says."""
        return self._open(path, writable=False)

    def _open(self, path: str, *, writable: bool) -> File:
        self.ask(f"open {path}")
        content = self._find(path)
        if not isinstance(content, _Content):
            raise UsageError(f"{path} is not a regular file: only those are read. Nothing was changed.", path=path)
        return FakeFile(self, path, content, writable=writable)

    def read(self, path: str) -> bytes:
        """As Disk says."""
        file = self.open_read(path)
        return file.read(0, file.size())

    def replace(self, old: str, new: str) -> None:
        """As Disk says."""
        (names, name), (target, other) = self._parent(old), self._parent(new)
        node = self._find(old)
        if target is names:
            self._change(f"replace {old} {new}", [(names, {name: None, other: node})])
        else:
            self._change(f"replace {old} {new}", [(names, {name: None}), (target, {other: node})])

    def unlink(self, path: str) -> None:
        """As Disk says."""
        names, name = self._parent(path)
        if isinstance(self._find(path), _Names):
            raise _error(errno.EISDIR, path)
        self._change(f"unlink {path}", [(names, {name: None})])

    def sync_directory(self, path: str) -> None:
        """As Disk says."""
        names = self._directory(path)
        trouble = self.begin(f"sync_directory {path}")
        if isinstance(trouble, OSError):
            names.fail_sync()
        elif trouble is None or self.share(trouble) == 1:
            names.sync()
        if trouble is not None:
            raise trouble

    def make_directories(self, path: str) -> None:
        """As Disk says."""
        parts = _parts(path)
        for depth in range(1, len(parts) + 1):
            names, here = self._directory("/".join(parts[: depth - 1])), "/" + "/".join(parts[:depth])
            node = names.now.get(parts[depth - 1])
            if isinstance(node, _Content):
                raise _error(errno.EEXIST if depth == len(parts) else errno.ENOTDIR, path)
            if node is None:
                self._change(f"mkdir {here}", [(names, {parts[depth - 1]: _Names()})])
            if node is None or depth == len(parts):
                self.sync_directory("/" + "/".join(parts[: depth - 1]))

    def entries(self, path: str) -> list[str]:
        """As Disk says."""
        self.ask(f"entries {path}")
        return sorted(self._directory(path).now)

    def exists(self, path: str) -> bool:
        """As Disk says."""
        try:
            self._find(path)
        except OSError:
            return False
        return True

    def lock(self, directory: str) -> Lock:
        """As Disk says. Only one `FakeDisk` is meant: `crash` and `kill` give one that nobody holds."""
        names = self._directory(directory)
        if id(names) in self._held:
            holder = self._held[id(names)]
            raise LockedError(f"{directory} is open for writing by {holder}. Close it there first.", path=directory, holder=holder)
        if "LOCK" not in names.now:
            self._change(f"lock {directory}", [(names, {"LOCK": _Content()})])
        content = names.now["LOCK"]
        assert isinstance(content, _Content)
        self._held[id(names)] = "another system on this fake disk"
        return FakeLock(self, self._held, names, content)

    def pack_into(self, fields: struct.Struct) -> Callable[..., None]:
        """As Disk says."""

        def put(window: Window, at: int, *values: object) -> None:
            window[at : at + fields.size] = fields.pack(*values)

        return put

    def check_directory(self, path: str) -> None:
        """As Disk says."""
        if isinstance(self._find(path), _Content):
            raise UsageError(f"{path} cannot hold a system: it is a file. Nothing was changed. Choose another name.", path=path)

    def can_fork(self) -> bool:
        """As Disk says."""
        return True

    def fork(self, work: Callable[[Callable[[], None]], bytes]) -> Child:
        """As Disk says, but the work is done here and at once, on this disk. Whatever it raises ends the child, not this process."""
        self.ask("fork")
        return FakeChild(work)

    def resident(self) -> int:
        """As Disk says."""
        return 0

    # --- how calls go ------------------------------------------------------------------------------------------------

    def begin(self, what: str) -> BaseException | None:
        """Note a call. Gives what is to go wrong with it, if anything is: do a share of it, then raise that."""
        with self._guard:
            if self._off:
                raise PowerCut(what)
            self.calls.append(what)
            number = len(self.calls)
            if number == self._cut:
                self._off = True
                return PowerCut(f"{number}: {what}")
            how = self._failures.pop(number, None)
            if how == INTERRUPT:
                return KeyboardInterrupt(f"{number}: {what}")
            return None if how is None else _error(errno.ENOSPC if how == SHORT else int(how), f"{number}: {what}")

    def share(self, trouble: BaseException) -> float:
        """How much of a call is done before this: what must be whole (1) or not at all is not, where it fails with an error."""
        if isinstance(trouble, OSError):
            return self._rng.random() * 0.99
        return self._rng.choice((0.0, self._rng.random(), 1.0))

    def room(self, more: int) -> int:
        """How many of these additional bytes there is room for."""
        return more if self.capacity is None else max(0, min(more, self.capacity - _total(self._root)))

    def ask(self, what: str) -> None:
        """Note a call that changes nothing."""
        trouble = self.begin(what)
        if trouble is not None:
            raise trouble

    def _change(self, what: str, changes: list[tuple[_Names, dict[str, _Node | None]]]) -> None:
        trouble = self.begin(what)
        if trouble is None or self.share(trouble) == 1:
            fate = _Fate()
            for names, change in changes:
                names.change(change, fate)
        if trouble is not None:
            raise trouble

    def _find(self, path: str) -> _Node:
        node: _Node = self._root
        for part in _parts(path):
            if not isinstance(node, _Names):
                raise _error(errno.ENOTDIR, path)
            if part not in node.now:
                raise _error(errno.ENOENT, path)
            node = node.now[part]
        return node

    def _directory(self, path: str) -> _Names:
        node = self._find(path)
        if not isinstance(node, _Names):
            raise _error(errno.ENOTDIR, path)
        return node

    def _parent(self, path: str) -> tuple[_Names, str]:
        parts = _parts(path)
        return self._directory("/".join(parts[:-1])), parts[-1]


class FakeFile:
    """As coopy.disk.File."""

    def __init__(self, disk: FakeDisk, path: str, content: _Content, *, writable: bool) -> None:
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
            content, trouble = content[: len(content) - lacking], trouble or _error(errno.ENOSPC, self.path)
        if content:
            self._content.put(offset, content)
        if trouble is not None:
            raise trouble

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
            trouble = _error(errno.ENOSPC, self.path)
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
            raise _error(errno.EBADF, self.path)
        if self._failed and not reading:
            raise _error(errno.EIO, self.path)


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

    def __init__(self, disk: FakeDisk, held: dict[int, str], names: _Names, content: _Content) -> None:
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


def _parts(path: str) -> list[str]:
    return [part for part in os.path.normpath(path).split("/") if part not in {"", "."}]


def _files(names: _Names, above: str) -> Iterator[tuple[str, bytes]]:
    for name, node in names.now.items():
        if isinstance(node, _Names):
            yield from _files(node, f"{above}/{name}")
        else:
            yield f"{above}/{name}", bytes(node.data)


def _error(number: int, what: str) -> OSError:
    return OSError(number, os.strerror(number), what)


def _total(names: _Names) -> int:
    return sum(_total(node) if isinstance(node, _Names) else len(node.data) for node in names.now.values())
