"""Segments that were sealed in this run are read again, record by record, so that the manifest can vouch for them by a digest.

    beside the calls    a piece at a time, on a thread of its own, with pauses ten times as long: it gives way to everybody
    when it closes      what is left, for ten seconds at most; the next opening checks what it replays of the rest

What it finds good is written with the next change of the manifest, which comes anyhow: no call waits for it. Pieces are checked by the same
function as everywhere, and hashed as they were read. What is damaged is told, and not vouched for.
"""

from __future__ import annotations

import threading
import time
from _thread import allocate_lock
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec

from coopy.error import CoopyError, CorruptionError
from coopy.journal.segment import Scan, head_before, read_header, scan, segment_name
from coopy.logs import logger

if TYPE_CHECKING:
    from collections.abc import Generator

    from coopy.disk import File
    from coopy.engine.archive import Archive
    from coopy.journal.segment import Head
    from coopy.manifest import Listed

__all__ = ["SealedSegments"]

log = logger("journal")
PIECE = 64 << 10  # bytes: a millisecond's work
PAUSE, LONGEST = 10, 0.1  # times what a piece took, seconds at most
CLOSING = 10.0  # seconds


class SealedSegments:
    """Those of one archive. Whoever reads on has `_guard`; `begin`, `stop` and `wait` are its system's."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._guard, self._wake = threading.Lock(), allocate_lock()
        self._wake.acquire()
        self._reading: Generator[None, None, Listed] | None = None
        self._thread: threading.Thread | None = None
        self._stopped = False

    def begin(self) -> None:
        """Have them read beside the calls, if there are any and nobody does. Where no thread is to be had, another time."""
        if not self._archive.unread or self._stopped or (self._thread is not None and self._thread.is_alive()):
            return
        thread = threading.Thread(target=self._read_beside, name="coopy sealed", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            return
        self._thread = thread

    def stop(self) -> None:
        """No more of that. May be repeated; one thread at a time."""
        if not self._stopped:
            self._stopped = True
            self._wake.release()

    def wait(self) -> None:
        """Until nobody reads any more, after `stop`."""
        if self._thread is not None:
            self._thread.join()

    def read_rest(self) -> None:
        """Read what is left, as far as there is time."""
        until = time.perf_counter() + CLOSING
        while time.perf_counter() < until and self._read_on():
            pass

    def _read_beside(self) -> None:
        more, pause = True, 0.0
        while more and not self._wake.acquire(timeout=pause):
            begun = time.perf_counter()
            more = self._read_on()
            pause = min((time.perf_counter() - begun) * PAUSE, LONGEST)

    def _read_on(self) -> bool:
        """A piece more. Whether there was any."""
        unread = self._archive.unread
        with self._guard:
            if self._reading is None and not unread:
                return False
            if self._reading is None:
                self._reading = vouched(self._archive, *unread.pop(0))
            try:
                next(self._reading)
            except StopIteration as ended:
                self._archive.vouch(ended.value)
                log.debug("%s: the segment that begins with LSN %d was read again.", self._archive.directory, ended.value.first_lsn)
                self._reading = None
            except FileNotFoundError:  # pruned meanwhile
                self._reading = None
            except (CoopyError, OSError, MemoryError) as error:
                log.warning("A segment that was sealed is not vouched for: %s", str(error) or type(error).__name__)
                self._reading = None
        return True


def vouched(archive: Archive, listed: Listed, following: Listed) -> Generator[None, None, Listed]:
    """A segment behind which another stands, checked a piece at a time: how the manifest is to list it. Raises CorruptionError, OSError."""
    file = archive.disk.open_read(archive.path(segment_name(listed.first_lsn)))
    try:
        end, head, digest = yield from _checked(archive, file, listed)
    finally:
        file.close()
    if (head.lsn + 1, head.tag) != (following.first_lsn, following.previous_tag):
        raise _damaged(file.path, end, head, "it does not end where the next segment begins")
    return msgspec.structs.replace(listed, size=end, digest=digest)


def _checked(archive: Archive, file: File, listed: Listed) -> Generator[None, None, tuple[int, Head, bytes]]:
    """The whole file: where it ends, where the journal stands then, and the digest of all of it."""
    front = file.read(0, PIECE)
    about, at = read_header(front, archive.key, file.path, archive.identity)
    archive.check_listed(listed, about, file.path)
    hasher, head, size = sha256(front[:at]), head_before(listed.first_lsn, listed.previous_tag), PIECE
    while True:
        data, found = file.read(at, size), Scan(head, 0)
        found.before = listed.first_lsn - 1
        scan(data, archive.framer, found, file.path)
        hasher.update(memoryview(data)[: found.end])
        head, at = found.head, at + found.end
        if len(data) < size:
            break
        size = PIECE if found.end else size * 2  # a large record
        yield
    if found.end != len(data):
        raise _damaged(file.path, at, head, found.problem)
    return at, head, hasher.digest()


def _damaged(path: str, at: int, head: Head, why: str) -> CorruptionError:
    lsn = head.lsn + 1
    return CorruptionError(f"{path} is damaged at offset {at} (LSN {lsn}): {why}.", path=path, offset=at, lsn=lsn)
