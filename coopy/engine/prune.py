"""Drop what is no longer needed: snapshots beyond those kept, segments behind the oldest kept snapshot.

The manifest forgets them first. Then they get a name under which nobody misses them, and go beside the calls: the operating system may take
a fifth of a second to free a gigabyte.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from coopy.disk.door import TEMPORARY
from coopy.engine.archive import snapshot_path
from coopy.engine.opening import nothing_there, open_archive
from coopy.error import CorruptionError
from coopy.journal.segment import parse_segment_name, segment_name
from coopy.logs import logger
from coopy.manifest import is_leftover
from coopy.snapshot import parse_snapshot_name, read_through, snapshot_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from coopy.engine.archive import Archive
    from coopy.engine.opening import Place

__all__ = ["plan_prune", "prune_closed", "put_aside", "snapshots_kept", "sweep", "unlink_aside"]


log = logger("snapshot")


def snapshots_kept(lsns: tuple[int, ...], keep: int, held: Iterable[int] = ()) -> tuple[int, ...]:
    """The newest `keep` of these, and all from the first on that somebody reads (`held`), in order."""
    every = sorted(set(lsns))
    first = min((every[-keep:][0], *held))
    return tuple(lsn for lsn in every if lsn >= first)


def put_aside(archive: Archive) -> list[str]:
    """Rename what is older than all that is listed; also what a crash kept an earlier one from. Gives the names that it had.

    Within what changes the manifest: nobody may list a file of such a name meanwhile.
    """
    snapshot, segment = archive.manifest.snapshots[0], archive.manifest.segments[0].first_lsn
    gone = []
    for name in archive.disk.entries(archive.directory):
        lsn, first = parse_snapshot_name(name), parse_segment_name(name)
        if (lsn is not None and lsn < snapshot) or (first is not None and first < segment):
            archive.disk.replace(archive.path(name), archive.path(name + TEMPORARY))
            gone.append(name)
    return gone


def unlink_aside(archive: Archive, names: list[str]) -> None:
    """Remove what `put_aside` gave. Anybody may have done so already."""
    for name in names:
        with suppress(FileNotFoundError):
            archive.disk.unlink(archive.path(name + TEMPORARY))
    if names:
        archive.disk.sync_directory(archive.directory)


def sweep(archive: Archive) -> None:
    """Remove what somebody was writing or throwing away when a crash came."""
    for name in filter(is_leftover, archive.disk.entries(archive.directory)):
        try:
            archive.disk.unlink(archive.path(name))
        except OSError as error:
            log.warning("%s is left over from a crash and could not be removed: %s.", archive.path(name), error)


def prune_closed(place: Place, keep: int | None, agreed: Callable[[list[str]], object]) -> list[str]:
    """Of a directory that nobody has open, drop snapshots but the newest `keep` (None: none), and the segments that those left do not need.

    The snapshots that stay are read whole before. `agreed` is told which files would go, and nothing does if it raises. Gives their names.
    """
    lock = place.disk.lock(place.directory)
    try:
        archive = open_archive(place)
        if archive is None:
            raise nothing_there(place.directory, "prune")
        snapshots, went = plan_prune(archive, keep)
        if went:
            agreed(went)
            archive.change(snapshots=snapshots, segments=archive.from_snapshot(snapshots[0]))
            unlink_aside(archive, put_aside(archive))
        return went
    finally:
        lock.release()


def plan_prune(archive: Archive, keep: int | None) -> tuple[tuple[int, ...], list[str]]:
    """The snapshots that stay, which are read whole, and the files that go. Changes nothing."""
    snapshots = snapshots_kept(archive.manifest.snapshots, keep or len(archive.manifest.snapshots))
    for lsn in snapshots:
        _read_whole(archive, lsn)
    segments = archive.from_snapshot(snapshots[0])
    went = [snapshot_name(lsn) for lsn in archive.manifest.snapshots if lsn not in snapshots]
    return snapshots, [*went, *(segment_name(one.first_lsn) for one in archive.manifest.segments if one not in segments)]


def _read_whole(archive: Archive, lsn: int) -> None:
    """Raises CorruptionError for a snapshot that would not serve."""
    path = snapshot_path(archive, lsn)
    about, _ = read_through(archive.disk, path, archive.key, archive.identity)
    follow = archive.from_snapshot(lsn)
    if about.lsn != lsn or not follow or follow[0].previous_tag != about.tag:
        what = f"{path} does not fit the journal: it is a snapshot of another history. Nothing was dropped."
        raise CorruptionError(f"{what} See `coopy check`.", path=path, offset=0, lsn=lsn)
