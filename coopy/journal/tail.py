"""Reading a journal beside whoever writes it: its frames as they stand in the files, by place, for somebody far away.

What may be read is on stable storage: in a segment behind which another is listed, everything; in the last one, up to the frame of the last
durable action. A control record behind that frame waits for the next action, whose sync covers it. There is no cache: the latest records are
in the operating system's, older ones on disk, and a reader that is slow costs nobody anything. A file stays readable here after it was pruned.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from coopy.error import ReplicaError
from coopy.journal.frame import HEADER_SIZE, MAGIC, Kind
from coopy.journal.segment import read_header, segment_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from coopy.disk import Disk, File
    from coopy.header import Identity
    from coopy.manifest import Listed

__all__ = ["Source", "Tail"]

AT_ONCE = 1 << 18
FEW, SMALL = 1 << 12, 256  # bytes that are read at first, and more for each action: behind the last ones there are megabytes of nothing yet
HOP = struct.Struct("<HBx4xI4xQ").unpack_from  # magic, kind, length, LSN
MAGIC_NUMBER = int.from_bytes(MAGIC, "little")


class Source:
    """Where to read. `segments` gives the segments that are listed, `durable` the last LSN on stable storage; any thread may ask both."""

    def __init__(
        self, disk: Disk, directory: str, key: bytes, segments: Callable[[], tuple[Listed, ...]], durable: Callable[[], int]
    ) -> None:
        self.disk, self.directory, self.key, self.segments, self.durable = disk, directory, key, segments, durable

    def open(self, listed: Listed, identity: Identity) -> tuple[File, int]:
        """A segment's file and where its frames begin. Raises FileNotFoundError where it was pruned meanwhile."""
        path = f"{self.directory}/{segment_name(listed.first_lsn)}"
        file = self.disk.open_read(path)
        try:
            _, start = read_header(file.read(0, 1 << 16), self.key, path, identity)
        except BaseException:
            file.close()
            raise
        return file, start


class Tail:
    """A place in a journal, and what follows it. One thread uses it; close it.

    `lsn`: the last action that was read, maybe not to its end; `is_behind`: more was there when it was last read.
    """

    def __init__(self, source: Source, identity: Identity) -> None:
        self._source, self._identity = source, identity
        self._file: File | None = None
        self._first, self._offset, self._unread = 0, 0, 0
        self.lsn, self.is_behind = 0, False

    # --- a place -----------------------------------------------------------------------------------------------------

    def find(self, lsn: int, tag: bytes) -> bool:
        """Stand behind the record that has this tag: the action of this LSN, or a control record behind it. False if there is none."""
        listed = self._source.segments()
        for number, one in enumerate(listed):
            if one.first_lsn > lsn + 1:
                break
            if one.first_lsn == lsn + 1 and one.previous_tag == tag:
                self._stand(one, 0, lsn)
                return True
            ends = listed[number + 1].first_lsn if number + 1 < len(listed) else lsn + 1
            if ends > lsn and (offset := self._search(one, lsn, tag)):
                self._stand(one, offset, lsn)
                return True
        return False

    def _stand(self, listed: Listed, offset: int, lsn: int) -> None:
        """`offset` 0: where the frames begin."""
        self.close()
        self._file, start = self._source.open(listed, self._identity)
        self._first, self._offset, self._unread, self.lsn = listed.first_lsn, offset or start, 0, lsn

    def _search(self, listed: Listed, lsn: int, tag: bytes) -> int:
        """Where the frame with this LSN and tag ends in a segment; 0 if it is not there."""
        file, start = self._source.open(listed, self._identity)
        try:
            return next((end for found, mark, end in _frames(file, start) if found == lsn and mark == tag), 0)
        finally:
            file.close()

    # --- what follows ------------------------------------------------------------------------------------------------

    def read(self, most: int = AT_ONCE) -> bytes:
        """The next bytes, at most `most`: whole frames, or a part of one that is larger. Empty: nothing is there yet.

        Raises ReplicaError where the journal was pruned behind this place.
        """
        while True:
            durable, listed = self._source.durable(), self._source.segments()
            live = listed[-1].first_lsn == self._first
            if live and self.lsn >= durable and not self._unread:
                self.is_behind = False
                return b""
            data = self._read(most, durable if live else -1)
            self.is_behind = bool(data) and (not live or self.lsn < durable or self._unread > 0)
            if data or live or not self._go_on(listed):
                return data

    def _read(self, most: int, durable: int) -> bytes:
        """From the present segment. `durable`: the last LSN that may be read, -1 for all of it."""
        assert self._file is not None
        if self._unread:
            data = self._file.read(self._offset, min(most, self._unread))
            self._offset, self._unread = self._offset + len(data), self._unread - len(data)
            return data
        size = most if durable < 0 else min(most, FEW + SMALL * (durable - self.lsn))
        while True:
            data = self._file.read(self._offset, size)
            end, lsn, whole = _measured(data, self.lsn, durable)
            if end or whole or len(data) < size:
                break
            size *= 2  # control records only, as far as was read
        if end == 0:
            return b""
        self._offset, self.lsn = self._offset + min(end, len(data)), lsn
        self._unread = max(end - len(data), 0)
        return data[:end]

    def _go_on(self, listed: tuple[Listed, ...]) -> bool:
        """To the next segment. False where it is not there yet."""
        following = next((one for one in listed if one.first_lsn > self._first), None)
        if following is None:
            return False
        if following.first_lsn != self.lsn + 1:
            raise _pruned(self.lsn)
        try:
            self._stand(following, 0, self.lsn)
        except FileNotFoundError:
            raise _pruned(self.lsn) from None
        return True

    def close(self) -> None:
        """Close the file. May be repeated."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _measured(data: bytes, lsn: int, durable: int) -> tuple[int, int, bool]:
    """How far what may be read goes: its end, the last LSN in it, and whether what follows may not be read yet, or is not there.

    The end lies beyond `data` where the first frame does. `durable`: -1 where everything may be read.
    """
    offset, end, size = 0, 0, len(data)
    while offset + HEADER_SIZE <= size:
        magic, kind, length, found = HOP(data, offset)
        if magic != MAGIC_NUMBER or (durable >= 0 and found > durable):
            return end, lsn, True
        stop = offset + HEADER_SIZE + length
        if stop > size and end:
            return end, lsn, False
        offset = stop
        if kind in Kind.CALLS:
            end, lsn = stop, found
        elif durable < 0:
            end = stop
    return end, lsn, False


def _frames(file: File, offset: int) -> Iterator[tuple[int, bytes, int]]:
    """LSN, tag and end of each frame from an offset on."""
    while True:
        data, at = file.read(offset, AT_ONCE), 0
        while at + HEADER_SIZE <= len(data):
            magic, _, length, lsn = HOP(data, at)
            if magic != MAGIC_NUMBER:
                return
            stop = at + HEADER_SIZE + length
            yield lsn, data[at + 40 : at + HEADER_SIZE], offset + stop
            at = stop
        if at == 0:
            return
        offset += at


def _pruned(lsn: int) -> ReplicaError:
    what = f"The journal behind LSN {lsn} was pruned while it was read: a snapshot holds what it said."
    return ReplicaError(what, primary="")
