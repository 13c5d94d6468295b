"""Drop what is no longer needed: snapshots beyond those kept, segments behind the oldest kept snapshot. The manifest forgets them first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.engine.archive import snapshot_path
from coopy.engine.opening import open_archive
from coopy.error import CorruptionError, UsageError
from coopy.journal.segment import parse_segment_name, segment_name
from coopy.snapshot import open_snapshot, parse_snapshot_name, snapshot_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.engine.archive import Archive
    from coopy.engine.opening import Place

__all__ = ["prune_closed", "prune_segments", "prune_snapshots"]

PIECE = 1 << 20


def prune_closed(place: Place, keep: int, agreed: Callable[[list[str]], object]) -> list[str]:
    """Both for a directory that nobody has open, keeping at most `keep` snapshots. `agreed` is told the files, and nothing goes if it raises.

    The snapshots that stay are read whole before. Gives the names of the files that went.
    """
    lock = place.disk.lock(place.directory)
    try:
        archive = open_archive(place)
        if archive is None:
            raise UsageError(f"{place.directory} holds no system yet, so there is nothing to prune.", path=place.directory)
        snapshots = archive.manifest.snapshots
        stay = snapshots[-keep:]
        needed = archive.from_snapshot(stay[0])
        for lsn in stay:
            _read_whole(archive, lsn)
        segments = [one for one in archive.manifest.segments if needed and one.first_lsn < needed[0].first_lsn]
        names = [*(snapshot_name(lsn) for lsn in snapshots[:-keep]), *(segment_name(one.first_lsn) for one in segments)]
        if not names:
            return []
        agreed(names)
        return [*prune_snapshots(archive, keep), *(prune_segments(archive) if needed else [])]
    finally:
        lock.release()


def _read_whole(archive: Archive, lsn: int) -> None:
    """Raises CorruptionError for a snapshot that would not serve."""
    path = snapshot_path(archive, lsn)
    about, stream = open_snapshot(archive.disk, path, archive.key, archive.identity)
    with stream:
        while stream.read(PIECE):
            pass
    follow = archive.from_snapshot(lsn)
    if about.lsn != lsn or not follow or follow[0].previous_tag != about.tag:
        what = f"{path} does not fit the journal: it is a snapshot of another history. Nothing was dropped."
        raise CorruptionError(f"{what} See `coopy check`.", path=path, offset=0, lsn=lsn)


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
