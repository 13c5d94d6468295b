"""Drop what is no longer needed: snapshots beyond those kept, segments behind the oldest kept snapshot. The manifest forgets them first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.journal.segment import parse_segment_name
from coopy.snapshot import parse_snapshot_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.engine.archive import Archive

__all__ = ["prune_segments", "prune_snapshots"]


def prune_snapshots(archive: Archive, keep: int) -> list[str]:
    """Drop all snapshots but the newest `keep`. Gives the names of the files that went."""
    if len(archive.manifest.snapshots) > keep:
        archive.change(snapshots=archive.manifest.snapshots[-keep:])
    return _unlink_older(archive, parse_snapshot_name, archive.manifest.snapshots[0])


def prune_segments(archive: Archive) -> list[str]:
    """Drop the segments that even the oldest snapshot makes superfluous. Gives the names of the files that went."""
    needed = archive.from_snapshot(archive.manifest.snapshots[0])
    if len(needed) < len(archive.manifest.segments):
        archive.change(segments=needed)
    return _unlink_older(archive, parse_segment_name, archive.manifest.segments[0].first_lsn)


def _unlink_older(archive: Archive, parse: Callable[[str], int | None], oldest: int) -> list[str]:
    """Also what a crash kept an earlier prune from unlinking."""
    numbers = ((name, parse(name)) for name in archive.disk.entries(archive.directory))
    gone = [name for name, number in numbers if number is not None and number < oldest]
    for name in gone:
        archive.disk.unlink(archive.path(name))
    if gone:
        archive.disk.sync_directory(archive.directory)
    return gone
