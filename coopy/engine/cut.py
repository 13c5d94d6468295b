"""Where a journal ends that cannot be opened as it is, and what of its newest segment would go to quarantine.

    the header holds          what is behind the last record that holds goes
    the header does not       it says nothing that is not known from elsewhere: it is written anew, and the records behind it show themselves
                              whether they follow on what is before. Where none is left, an empty segment takes its place
    there is no file          the same: the manifest says that there was one, or the SEAL of the segment before

What is before the newest segment is never touched. Nothing here changes anything: engine/mend.py does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from coopy import header
from coopy.engine.archive import Archive, Segment, high_water_of
from coopy.engine.opening import check_listed, nothing_there, read_listed
from coopy.error import AuthenticationError, CorruptionError, FormatError
from coopy.journal.segment import Head, SegmentHeader, segment_name
from coopy.manifest import Listed

if TYPE_CHECKING:
    from coopy.engine.opening import Place
    from coopy.journal.segment import Scan

__all__ = ["Cut", "plan_cut"]


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


def plan_cut(place: Place) -> Cut:
    """What there is to cut off. Raises UsageError where no system is, CorruptionError where more than the newest segment is missing."""
    archive = read_listed(place)
    if archive is None:
        raise nothing_there(place.directory, "repair")
    segments = archive.manifest.segments
    check_listed(archive, but=segment_name(segments[-1].first_lsn))
    segment, problem = _read(archive, segments[-1])
    found = archive.scan(segment, segment.before)
    while found.sealed and not problem:
        segments = (*segments, Listed(found.sealed, found.head.tag))
        segment, problem = _read(archive, segments[-1])
        found = archive.scan(segment, segment.before)
    return _planned(archive, segments, segment, found, problem)


def _read(archive: Archive, listed: Listed) -> tuple[Segment, str]:
    """A segment, and what is wrong with it as a whole: then it is as it would be if its header were right, and empty if there is no file."""
    path, data = archive.path(segment_name(listed.first_lsn)), b""
    try:
        data = archive.disk.read(path)
        return archive.segment(listed), ""
    except FormatError:
        raise  # not damage
    except FileNotFoundError:
        problem = f"{path} is missing."
    except (CorruptionError, AuthenticationError) as error:  # the manifest's check held: this file's does not
        problem = str(error)
    about = SegmentHeader(archive.identity, listed.first_lsn, listed.previous_tag)
    front = header.pack(header.SEGMENT, about, archive.key)
    return Segment(path, about, front + data[len(front) :], len(front)), problem


def _planned(archive: Archive, segments: tuple[Listed, ...], segment: Segment, found: Scan, problem: str) -> Cut:
    tail, end = segment.data[found.end :].rstrip(b"\0"), found.head
    once = high_water_of(archive)
    kept, aside, offset = segment.data[: found.end], tail, found.end
    if problem:
        aside, offset = archive.disk.read(segment.path) if archive.disk.exists(segment.path) else b"", 0
    words = ""
    if problem or tail or once > end.lsn:
        words = f"{_moved(segment, found, problem, len(aside), offset)} The journal ends at LSN {end.lsn} then{_lost(end.lsn, once)}."
    return Cut(archive, segments, kept, aside, offset, end, words)


def _moved(segment: Segment, found: Scan, problem: str, size: int, offset: int) -> str:
    """What goes, and what takes its place."""
    if not problem:
        return f"{size:,} bytes of {segment.path}, from offset {offset} on, go to quarantine."
    goes = f"{problem} {f'All its {size:,} bytes are kept in quarantine' if size else 'There is nothing of it to keep'}"
    if found.last < 0:
        return f"{goes}, and an empty segment takes its place."
    rest = "all its records are whole and stay" if not found.problem else f"its records up to offset {found.end} are whole and stay"
    return f"{goes}, its header is written anew; {rest}."


def _lost(last: int, once: int) -> str:
    if once <= last:
        return ""
    return f"; up to LSN {once} it was on stable storage once: at least {once - last} acknowledged actions are lost"
