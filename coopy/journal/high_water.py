"""The file HWM: the highest LSN known to be on stable storage, in two slots written in turn, so that one is whole at any time.

Each slot is a header (coopy/header.py) of 512 bytes. Its one job is to notice that a journal was cut off from outside: what is above
the mark may be lost in a crash, what is below may not. It is synced when a segment or snapshot is finished, else written once a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from coopy import header
from coopy.error import CorruptionError

if TYPE_CHECKING:
    from coopy.disk import File

__all__ = ["UNMARKED", "HighWater", "Mark"]

UNMARKED = bytes(2 * header.SECTOR)  # a file with no mark yet, which needs no more room when it gets one


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """`turn` grows with every write; the slot with the larger one counts."""

    system: bytes
    turn: int
    lsn: int
    tag: bytes


class HighWater:
    """The open file. Used by one thread at a time: whoever appends, or the background sync, under the journal's guard."""

    def __init__(self, file: File, system: bytes, key: bytes) -> None:
        self._file, self._system, self._key = file, system, key
        self.mark = self._newest()

    def _newest(self) -> Mark:
        marks = [Mark(self._system, 0, 0, b"")]
        for slot in (0, header.SECTOR):
            data = self._file.read(slot, header.SECTOR)
            try:
                mark, _ = header.unpack(data, header.HWM, Mark, self._key, self._file.path)
            except CorruptionError:
                continue  # torn by a crash: that is what the other slot is for
            if mark.system == self._system:
                marks.append(mark)
        return max(marks, key=lambda mark: mark.turn)

    def write(self, lsn: int, tag: bytes, *, sync: bool) -> None:
        """Raise the mark; with `sync` it is on stable storage when this returns."""
        if lsn > self.mark.lsn:
            mark = Mark(self._system, self.mark.turn + 1, lsn, tag)
            self._file.write(mark.turn % 2 * header.SECTOR, header.pack(header.HWM, mark, self._key))
            self.mark = mark
        if sync:
            self._file.sync()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
