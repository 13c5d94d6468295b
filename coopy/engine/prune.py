"""Drop what is no longer needed: snapshots beyond those kept, segments behind the oldest kept snapshot.

The manifest forgets them first. Then they get a name under which nobody misses them, and go beside the calls: the operating system may take
a fifth of a second to free a gigabyte.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from coopy.disk import TEMPORARY
from coopy.journal.segment import parse_segment_name
from coopy.manifest import is_leftover
from coopy.snapshot import parse_snapshot_name

if TYPE_CHECKING:
    from coopy.engine.archive import Archive

__all__ = ["put_aside", "snapshots_kept", "sweep", "unlink_aside"]

log = logging.getLogger("coopy")


def snapshots_kept(lsns: tuple[int, ...], keep: int) -> tuple[int, ...]:
    """The newest `keep` of these, in order."""
    return tuple(sorted(set(lsns)))[-keep:]


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
