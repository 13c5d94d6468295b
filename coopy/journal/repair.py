"""Where checking a segment stopped: its end, a torn tail, or damage? Pure: bytes and evidence in, a judgement out; nothing is ever cut here.

Let k be the LSN expected at offset p, where the first frame that does not hold begins.

1. A valid header further on that says "durable up to k or beyond", or a high-water mark, a close or a later segment at or beyond k:
   record k was on stable storage once. Damage. Every batch is synced before the next is written, so this is a proof.
2. Else, could an interrupted write look so? The file ends inside of the frame; its first byte is zero (stored last); or one of the
   512-byte sectors it lies in holds only zeros there (sectors reach the disk in any order, and no payload holds 512 zeros).
   Then it was never acknowledged: a torn tail, to be moved to quarantine.
3. Else it is a whole frame with a wrong tag and nothing after it: perhaps bit rot in the last acknowledged record. Damage.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from coopy.error import CorruptionError
from coopy.header import SECTOR
from coopy.journal.frame import HEADER_SIZE, MAGIC

if TYPE_CHECKING:
    from coopy.journal.frame import Framer
    from coopy.journal.segment import Scan

__all__ = ["judge_end"]


def judge_end(data: bytes, found: Scan, framer: Framer, proven: int, path: str) -> bytes:
    """The torn tail after the checked part of the last segment: empty for a clean end.

    `proven`: the highest LSN that anything else says was on stable storage. Raises CorruptionError for damage.
    """
    expected, offset = found.head.lsn + 1, found.end
    tail = data[offset:].rstrip(b"\0")
    if proven >= expected:
        what = f"The journal ends at LSN {expected - 1}, but LSN {proven} was on stable storage: {path} was cut off or overwritten at offset {offset}"
        raise _damage(what, found, path)
    if not tail:
        return b""
    later = _durable_later(data, offset + 1, framer, expected)
    if later:
        raise _damage(
            f"{path} is damaged at offset {offset} (LSN {expected}): {found.problem}, and valid records follow at offset {later}",
            found,
            path,
        )
    if not _could_be_torn(data, offset, framer):
        what = f"The last record of {path}, at offset {offset} (LSN {expected}), is damaged: {found.problem}"
        raise _damage(what, found, path, hint=" If it never mattered, `coopy repair --drop-tail` moves it to quarantine.")
    return tail


def _damage(what: str, found: Scan, path: str, hint: str = "") -> CorruptionError:
    ways = "Restore the file from another copy or a backup, or see what `coopy check` and `coopy repair` offer."
    message = f"{what}. Everything up to LSN {found.head.lsn} is intact and nothing was changed. {ways}{hint}"
    return CorruptionError(message, path=path, offset=found.end, lsn=found.head.lsn + 1)


def _durable_later(data: bytes, offset: int, framer: Framer, expected: int) -> int:
    """Where a valid frame header says that `expected` was durable when it was written; 0 if none does."""
    while (offset := data.find(MAGIC, offset)) >= 0:
        frame = framer.header(data, offset)
        if frame is not None and frame.lsn - frame.durable_back >= expected:
            return offset
        offset += 1
    return 0


def _could_be_torn(data: bytes, offset: int, framer: Framer) -> bool:
    frame = framer.header(data, offset)
    stop = offset + HEADER_SIZE + (frame.length if frame else 0)
    if stop > len(data) or data[offset] == 0:
        return True
    return any(not data[first:last].strip(b"\0") for first, last in _sectors(offset, stop))


def _sectors(start: int, stop: int) -> list[tuple[int, int]]:
    """The pieces of a range by the sectors they lie in."""
    edges = [start, *range(start - start % SECTOR + SECTOR, stop, SECTOR), stop]
    return list(pairwise(edges))
