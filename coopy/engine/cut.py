"""Where a journal ends that cannot be opened as it is, and what of its newest segment would go to quarantine.

    the header holds          what is behind the last record that holds goes
    the header does not       it says nothing that is not known from elsewhere: it is written anew, and the records behind it show themselves
                              whether they follow on what is before. Where none is left, an empty segment takes its place
    there is no file          the same: the manifest says that there was one, or the SEAL of the segment before
    the disk does not give    what it does not give is taken for zeros, and so no record that lies there holds
    some of it

What is before the newest segment is never touched. Nothing here changes anything: engine/mend.py does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from coopy import header
from coopy.engine.archive import Archive, Segment, high_water_of
from coopy.engine.legible import Legible, read_legible
from coopy.engine.opening import check_listed, nothing_there, read_listed
from coopy.error import AuthenticationError, CorruptionError, FormatError
from coopy.journal.segment import Head, SegmentHeader, segment_name
from coopy.manifest import Listed

if TYPE_CHECKING:
    from coopy.engine.opening import Place
    from coopy.journal.segment import Scan
    from coopy.manifest import Manifest

__all__ = ["Cut", "Found", "plan_cut", "read_as_listed"]

NOTHING = Legible(b"", 0)


class Cut(msgspec.Struct, frozen=True):
    """What cutting off the tail comes to. `segments`: the list afterwards, the newest last; `kept`: what is in that one then.

    `aside`: what goes to quarantine, the bytes from `offset` on; `end`: where the journal ends then; `words`: all of that for people, empty
    where there is nothing to do.
    """

    archive: Archive
    segments: tuple[Listed, ...]
    kept: bytes
    aside: bytes
    offset: int
    end: Head
    words: str


class Found(msgspec.Struct, frozen=True):
    """A segment that may be damaged. `problem`: what is wrong with it as a whole: then `segment` is as it would be if its header were right.

    `was`: what there is of its file.
    """

    segment: Segment
    problem: str
    was: Legible


def plan_cut(place: Place) -> Cut:
    """What there is to cut off. Raises UsageError where no system is, CorruptionError where more than the newest segment is missing."""
    archive = read_listed(place)
    if archive is None:
        raise nothing_there(place.directory, "repair")
    segments = archive.manifest.segments
    check_listed(archive, but=segment_name(segments[-1].first_lsn))
    last = read_as_listed(archive, segments[-1])
    scanned = archive.scan(last.segment, last.segment.before)
    while scanned.sealed and not last.problem:
        segments = (*segments, Listed(scanned.sealed, scanned.head.tag))
        last = read_as_listed(archive, segments[-1])
        scanned = archive.scan(last.segment, last.segment.before)
    return _planned(archive, segments, last, scanned)


def read_as_listed(archive: Archive, listed: Listed) -> Found:
    """A segment, as far as the disk gives it; an empty one where there is no file."""
    path, was = archive.path(segment_name(listed.first_lsn)), NOTHING
    try:
        was = read_legible(archive.disk, path)
        return Found(archive.read_as(listed, was.data), "", was)
    except FormatError:
        raise  # not damage
    except FileNotFoundError:
        problem = f"{path} is missing."
    except (CorruptionError, AuthenticationError) as error:  # the manifest's check held: this file's does not
        problem = str(error.__cause__ or error)
    about = SegmentHeader(archive.identity, listed.first_lsn, listed.previous_tag)
    front = header.pack(header.SEGMENT, about, archive.key)
    return Found(Segment(path, about, front + was.data[len(front) :], len(front)), problem, was)


def _planned(archive: Archive, segments: tuple[Listed, ...], last: Found, found: Scan) -> Cut:
    data, end, once = last.segment.data, found.head, high_water_of(archive)
    kept, aside, offset = data[: found.end], data[found.end :].rstrip(b"\0"), found.end
    if last.problem:
        aside, offset = last.was.data, 0
    words = ""
    if aside or last.problem or last.was.lost or once > end.lsn:
        lost = _lost(end.lsn, once, archive.manifest)
        words = f"{_moved(last, found, len(aside), offset)} The journal ends at LSN {end.lsn} then{lost}."
    return Cut(archive, segments, kept, aside, offset, end, words)


def _moved(last: Found, found: Scan, size: int, offset: int) -> str:
    """What goes, and what takes its place."""
    zeros = f" The disk does not give {last.was.lost:,} bytes of the file: they are zeros there." if last.was.lost else ""
    if not last.problem:
        goes = f"{size:,} bytes of {last.segment.path}, from offset {offset} on, go to quarantine."
        return f"{goes}{zeros}" if size else f"There is nothing in {last.segment.path} from offset {offset} on.{zeros}"
    goes = f"{last.problem}{zeros} {f'All its {size:,} bytes are kept in quarantine' if size else 'There is nothing of it to keep'}"
    if found.last < 0:
        return f"{goes}, and an empty segment takes its place."
    rest = "all its records are whole and stay" if not found.problem else f"its records up to offset {found.end} are whole and stay"
    return f"{goes}, its header is written anew; {rest}."


def _lost(last: int, once: int, manifest: Manifest) -> str:
    if once <= last:
        return ""
    missing = f"; up to LSN {once} it was on stable storage once: at least {once - last} acknowledged actions"
    if manifest.stream:
        return f"{missing} are missing here, which the node takes from the cluster again when it is opened"
    if manifest.follows:
        return f"{missing} are missing here, which a replica takes from its primary again when it is opened"
    return f"{missing} are lost"
