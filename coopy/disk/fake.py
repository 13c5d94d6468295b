"""A disk in memory that forgets what was not synced: what tests of crashes and failures run on. What it keeps, and forgets, platters.py says.

It keeps the protocol of door.py, which it may know; nothing else.
"""

from __future__ import annotations

import copy
import errno
import os
import random
import threading
from functools import lru_cache
from typing import TYPE_CHECKING

from coopy.disk.fake_parts import FakeChild, FakeFile, FakeLock, PowerCut, error
from coopy.disk.platters import Content, Fate, Names, files, total
from coopy.error import LockedError, UsageError

if TYPE_CHECKING:
    import struct
    from collections.abc import Callable, Mapping

    from coopy.disk.door import Child, File, Lock, Window
    from coopy.disk.platters import Node

__all__ = ["FakeDisk", "PowerCut"]

INTERRUPT, SHORT = "interrupt", "short"
CHANGES = ("create", "write", "store", "sync", "reserve", "truncate", "replace", "unlink", "mkdir", "sync_directory", "lock")


class FakeDisk:
    """As coopy.disk.Disk. `calls`: what it was asked so far, one line each; the first is number 1. `capacity`: bytes in all files, or None.

    `seed` decides how far a call gets that fails or meets a power cut.
    """

    def __init__(self, seed: int = 0, capacity: int | None = None) -> None:
        self.calls: list[str] = []
        self.capacity = capacity
        self._rng, self._guard = random.Random(seed), threading.RLock()  # noqa: S311 - it chooses how to fail
        self._root: Names = Names()
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
        return dict(files(self._root, ""))

    def put(self, contents: Mapping[str, bytes]) -> None:
        """Have these files, on stable storage, as `contents` gave them."""
        for path, data in contents.items():
            *folders, name = _parts(path)
            names = self._root
            for folder in folders:
                inner = names.now.setdefault(folder, names.durable.setdefault(folder, Names()))
                assert isinstance(inner, Names)
                names = inner
            content = names.now[name] = names.durable[name] = Content()
            content.put(0, data)
            content.sync()

    # --- as Disk says ------------------------------------------------------------------------------------------------

    def create(self, path: str) -> File:
        """As Disk says."""
        names, name = self._parent(path)
        if name in names.now:
            raise error(errno.EEXIST, path)
        content = Content()
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
        if not isinstance(content, Content):
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
        if isinstance(self._find(path), Names):
            raise error(errno.EISDIR, path)
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
            if isinstance(node, Content):
                raise error(errno.EEXIST if depth == len(parts) else errno.ENOTDIR, path)
            if node is None:
                self._change(f"mkdir {here}", [(names, {parts[depth - 1]: Names()})])
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
            self._change(f"lock {directory}", [(names, {"LOCK": Content()})])
        content = names.now["LOCK"]
        assert isinstance(content, Content)
        self._held[id(names)] = "another system on this fake disk"
        return FakeLock(self, self._held, names, content)

    def pack_into(self, fields: struct.Struct) -> Callable[..., None]:
        """As Disk says."""

        def put(window: Window, at: int, *values: object) -> None:
            window[at : at + fields.size] = fields.pack(*values)

        return put

    def check_directory(self, path: str) -> None:
        """As Disk says."""
        if isinstance(self._find(path), Content):
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
            return None if how is None else error(errno.ENOSPC if how == SHORT else int(how), f"{number}: {what}")

    def share(self, trouble: BaseException) -> float:
        """How much of a call is done before this: what must be whole (1) or not at all is not, where it fails with an error."""
        if isinstance(trouble, OSError):
            return self._rng.random() * 0.99
        return self._rng.choice((0.0, self._rng.random(), 1.0))

    def room(self, more: int) -> int:
        """How many of these additional bytes there is room for."""
        return more if self.capacity is None else max(0, min(more, self.capacity - total(self._root)))

    def ask(self, what: str) -> None:
        """Note a call that changes nothing."""
        trouble = self.begin(what)
        if trouble is not None:
            raise trouble

    def _change(self, what: str, changes: list[tuple[Names, dict[str, Node | None]]]) -> None:
        trouble = self.begin(what)
        if trouble is None or self.share(trouble) == 1:
            fate = Fate()
            for names, change in changes:
                names.change(change, fate)
        if trouble is not None:
            raise trouble

    def _find(self, path: str) -> Node:
        node: Node = self._root
        for part in _parts(path):
            if not isinstance(node, Names):
                raise error(errno.ENOTDIR, path)
            if part not in node.now:
                raise error(errno.ENOENT, path)
            node = node.now[part]
        return node

    def _directory(self, path: str) -> Names:
        node = self._find(path)
        if not isinstance(node, Names):
            raise error(errno.ENOTDIR, path)
        return node

    def _parent(self, path: str) -> tuple[Names, str]:
        parts = _parts(path)
        return self._directory("/".join(parts[:-1])), parts[-1]


@lru_cache(maxsize=1024)
def _parts(path: str) -> tuple[str, ...]:
    return tuple(part for part in os.path.normpath(path).split("/") if part not in {"", "."})
