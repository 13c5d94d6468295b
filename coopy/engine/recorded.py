"""The journal of a directory, whoever has it open, or nobody: what its files say. No lock is taken, nothing is changed, nothing executed.

Whoever writes goes on meanwhile. What is read of a record that is just being written looks like a torn tail, or, for a moment, like damage: it is
damage if it still looks so when the file has not changed since.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from coopy.codec import Codec
from coopy.disk import UnreadableError
from coopy.engine.archive import high_water_of
from coopy.engine.history import History, outcome_of
from coopy.engine.opening import nothing_there, prove_end, read_archive, unreadable
from coopy.error import CorruptionError, UsageError
from coopy.journal.segment import Outcomes, Scan, read_header, records, scan, segment_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.disk import File
    from coopy.engine.archive import Archive, Segment
    from coopy.engine.execute import Record
    from coopy.engine.history import Ending, Told
    from coopy.engine.opening import Place
    from coopy.manifest import Listed

__all__ = ["Follower", "Recorded", "existing", "newest_lsn", "proven_end", "recorded", "since_time"]

FRONT = 1 << 16
AT_ONCE = 1 << 24


class Recorded(History, frozen=True):
    """As a History, up to where the files end. `proven`: what was on stable storage before they were read."""

    proven: int

    def _check_end(self, segment: Segment, found: Scan) -> None:
        """Raises CorruptionError for damage; a torn tail is none."""
        proven_end(self.archive, segment, found, self.proven)


def existing(place: Place, what: str, read: Callable[[Place], Archive | None] = read_archive) -> Archive:
    """What is kept in a directory, as `read` reads it. Raises UsageError where nothing is yet, and so nothing to do what was asked for."""
    try:
        archive = read(place) if place.disk.exists(place.directory) else None
    except NotADirectoryError as error:
        raise UsageError(
            f"{place.directory} holds no system, so there is nothing to {what}: it is a file.", path=place.directory
        ) from error
    if archive is None:
        raise nothing_there(place.directory, what)
    return archive


def recorded(place: Place, what: str) -> Recorded:
    """The journal of a directory as its files say it. Raises UsageError where there is none, and what is wrong with the directory."""
    archive = existing(place, what)
    return Recorded(archive, Codec(()), sys.maxsize, Outcomes(), high_water_of(archive))


def proven_end(archive: Archive, segment: Segment, found: Scan, proven: int) -> bytes:
    """As `prove_end`, where somebody may be writing meanwhile: what changes is not damaged."""
    try:
        return prove_end(archive, segment, found, proven)
    except CorruptionError:
        if archive.disk.read(segment.path)[: len(segment.data)] == segment.data:
            raise
        return segment.data[found.end :].rstrip(b"\0")


def newest_lsn(archive: Archive) -> int:
    """The last LSN, as far as frames tell without being checked."""
    try:
        return archive.foretell(archive.segment(archive.manifest.segments[-1]))[1]
    except UnreadableError as error:
        raise unreadable(archive, error) from error


def since_time(archive: Archive, time_us: int) -> int:
    """An LSN before all actions from this time on, as near as the first action of each segment says."""
    for listed in reversed(archive.manifest.segments):
        file = archive.disk.open_read(archive.path(segment_name(listed.first_lsn)))
        try:
            data = file.read(0, FRONT)
        finally:
            file.close()
        _, start = read_header(data, archive.key, file.path, archive.identity)
        first = archive.framer.header(data, start)
        if first is not None and first.time_us < time_us:
            return listed.first_lsn - 1
    return archive.manifest.segments[0].first_lsn - 1


class Follower:
    """What comes behind an LSN, as it is written. `read` never waits: it gives what is there, and nothing where nothing is new.

    `untold`: actions before it of which was not known how they end.
    """

    def __init__(self, place: Place, lsn: int, untold: dict[int, Record]) -> None:
        self._place, self.lsn = place, lsn
        self._archive = archive = existing(place, "follow")
        self._open = untold  # told, and how they end was not known yet
        self._stand(archive.manifest.segments[-1])

    def _stand(self, listed: Listed) -> None:
        """In a segment, behind what was told of it."""
        archive = self._archive
        segment = archive.segment(listed)
        self._first, self._at, self._head = listed.first_lsn, segment.start, segment.before
        found = scan(segment.data, archive.framer, Scan(segment.before, segment.start, archive.known(listed, segment)), segment.path)
        if found.head.lsn <= self.lsn:
            self._at, self._head = found.end, found.head

    def read(self) -> list[Told]:
        """The next actions; and again, with how they ended, those told before of which only now is known that they did not return.

        Raises UsageError where the journal is not the one that was followed, or was pruned before it was read.
        """
        found, new = self._next()
        if found is None or not found.end:
            self._go_on()
            return []
        self._at, self._head = self._at + found.end, found.head
        told = [*self._late(found.said), *((record, *self._ending(record, found.said)) for record in new if record[0] > self.lsn)]
        self.lsn = max(self.lsn, found.head.lsn)
        return told

    def _next(self) -> tuple[Scan | None, list[Record]]:
        """What follows in the segment: checked, in whole records."""
        archive = self._archive
        try:
            file = archive.disk.open_read(archive.path(segment_name(self._first)))
        except FileNotFoundError:
            return None, []
        try:
            return self._read(file)
        finally:
            file.close()

    def _read(self, file: File) -> tuple[Scan, list[Record]]:
        size = AT_ONCE
        while True:
            data, found = file.read(self._at, size), Scan(self._head, 0)
            new = list(records(data, self._archive.framer, found, file.path))
            if found.end or len(data) < size:
                return found, new
            size *= 2  # a large record

    def _ending(self, record: Record, said: Outcomes) -> tuple[Ending, str]:
        ending, name = outcome_of(record[0], said)
        if ending == "unknown":
            self._open[record[0]] = record
        return ending, name

    def _late(self, said: Outcomes) -> list[Told]:
        ended = {lsn: record for lsn, record in self._open.items() if outcome_of(lsn, said)[0] != "unknown"}
        self._open = {lsn: record for lsn, record in self._open.items() if lsn not in ended}
        return [(record, *outcome_of(lsn, said)) for lsn, record in ended.items() if outcome_of(lsn, said)[0] != "returned"]

    def _go_on(self) -> None:
        """To the next segment, if there is one."""
        archive = existing(self._place, "follow")
        if archive.identity.system != self._archive.identity.system:
            raise UsageError(f"{self._place.directory} holds another system now. Start again.", path=self._place.directory)
        self._archive = archive
        following = next((one for one in archive.manifest.segments if one.first_lsn > self._first), None)
        if following is not None and following.first_lsn == self._head.lsn + 1:
            self._stand(following)
        elif following is not None or archive.manifest.segments[-1].first_lsn < self._first:
            what = f"The journal behind LSN {self._head.lsn} was pruned, or replaced by a snapshot, before it was read."
            raise UsageError(f"{what} Start again.", path=self._place.directory)
