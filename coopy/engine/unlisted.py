"""Segments behind the last one that the manifest lists, and what an opening makes of each.

    the last one is sealed for it     it is the journal's next one: a crash came between the SEAL and the manifest
    it is empty, and comes next       a crash came before the SEAL: a leftover
    anything else                     nobody knows what it is: the opening stops

What an opening does (`adopt`) and what is said before (`as_opened`) is found by one function, so that both say the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from coopy.disk import write_whole
from coopy.engine.archive import Archive, Segment
from coopy.error import CorruptionError, FormatError
from coopy.journal.segment import Scan, parse_segment_name, read_header, segment_name
from coopy.logs import logger
from coopy.manifest import Listed, read_manifest

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["adopt", "as_opened"]

log = logger("journal")


class _Newer(msgspec.Struct, frozen=True):
    """A segment that is not listed, behind another one that ends so. `is_next`: the journal goes on in it; else it is an empty leftover."""

    listed: Listed
    behind: Segment
    end: Scan
    is_next: bool


def adopt(archive: Archive) -> None:
    """List the journal's next segments, and put a leftover aside. Raises CorruptionError, before it changes anything about it, for one that is neither."""
    for one in _newer(archive):
        name = segment_name(one.listed.first_lsn)
        if one.is_next:
            # The SEAL may have been read from the cache only, and a segment with another behind it is never written again.
            behind = segment_name(one.behind.about.first_lsn)
            write_whole(archive.disk, archive.directory, behind, one.behind.data[: one.end.end])
            archive.enlist(one.listed.first_lsn, one.listed.previous_tag)
        else:
            kept = archive.quarantine(name, archive.disk.read(archive.path(name)))
            archive.disk.unlink(archive.path(name))
            log.warning("%s was created, but never used before a crash: it is now %s.", archive.path(name), kept)


def as_opened(archive: Archive) -> Archive:
    """The archive as an opening would list it. Changes nothing. Raises CorruptionError where the opening would.

    Somebody may have the directory open: what is there because of that is no damage.
    """
    try:
        found = tuple(one.listed for one in _newer(archive) if one.is_next)
    except (CorruptionError, FileNotFoundError):
        if read_manifest(archive.disk, archive.directory, archive.key) == archive.manifest:
            raise
        return archive  # it was listed, or pruned, meanwhile
    if not found:
        return archive
    manifest = msgspec.structs.replace(archive.manifest, segments=(*archive.manifest.segments, *found))
    return Archive(archive.disk, archive.directory, archive.key, manifest, archive.domain)


def _newer(archive: Archive) -> Iterator[_Newer]:
    """In order of LSN, each with its header checked."""
    last = archive.manifest.segments[-1]
    names = archive.disk.entries(archive.directory)
    for lsn in sorted(lsn for lsn in map(parse_segment_name, names) if lsn is not None and lsn > last.first_lsn):
        behind = archive.segment(last)
        end = archive.scan(behind, behind.before)
        listed = Listed(lsn, end.head.tag)
        if end.sealed == lsn:
            archive.segment(listed)
            last = listed
        elif lsn != end.head.lsn + 1 or end.sealed or not _is_empty(archive, lsn):
            raise _foreign(archive, lsn, end)
        yield _Newer(listed, behind, end, end.sealed == lsn)


def _is_empty(archive: Archive, lsn: int) -> bool:
    """Nothing but a header, which was on stable storage before the file had its name: one that does not hold is no leftover of a crash."""
    path = archive.path(segment_name(lsn))
    data = archive.disk.read(path)
    try:
        _, start = read_header(data, archive.key, path, archive.identity)
    except FormatError:
        raise  # not damage
    except CorruptionError:
        return False
    return not data[start:].strip(b"\0")


def _foreign(archive: Archive, lsn: int, end: Scan) -> CorruptionError:
    path = archive.path(segment_name(lsn))
    what = f"{path} does not belong to the journal, which goes on after LSN {end.head.lsn}. Everything up to there is intact and nothing was changed."
    return CorruptionError(f"{what} Move the file out of the directory.", path=path, offset=0, lsn=lsn)
