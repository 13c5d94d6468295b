"""What a disk still gives of a file that it does not give whole: a bad sector costs what is in it, not what is before and behind.

For whoever mends a directory. An opening reads files whole, and stops at the first byte that cannot be read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from coopy.disk import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coopy.disk import Disk, File

__all__ = ["Legible", "read_legible"]

PIECE = 1 << 20
PAGE = 4096  # what an operating system reads at least


class Legible(msgspec.Struct, frozen=True):
    """All that could be read of a file. `lost`: how many bytes could not; they are zeros in `data`."""

    data: bytes
    lost: int


def read_legible(disk: Disk, path: str) -> Legible:
    """A file, as far as the disk gives it. Raises OSError where it does not let it be opened."""
    file = disk.open_read(path)
    try:
        pieces = list(_pieces(file, 0, file.size(), PIECE))
    finally:
        file.close()
    return Legible(b"".join(data for data, _ in pieces), sum(lost for _, lost in pieces))


def _pieces(file: File, start: int, stop: int, size: int) -> Iterator[tuple[bytes, int]]:
    """Pieces of at most this size, each with how much of it is lost."""
    for begin in range(start, stop, size):
        end = min(begin + size, stop)
        try:
            yield file.read(begin, end - begin), 0
        except UnreadableError:
            if size > PAGE:
                yield from _pieces(file, begin, end, PAGE)
            else:
                yield bytes(end - begin), end - begin
