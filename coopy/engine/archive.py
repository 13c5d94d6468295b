"""What is kept of one system: its manifest, snapshots and segments on disk, and who may change that list.

The manifest changes first where something goes, and last where something comes, so that a crash leaves files that are not listed and
never a listed file that is missing.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec

from coopy.disk import write_whole
from coopy.error import CorruptionError, FormatError
from coopy.journal.frame import Framer, salt_of
from coopy.journal.high_water import UNMARKED, HighWater
from coopy.journal.journal import create_segment
from coopy.journal.segment import Head, Scan, SegmentHeader, foretell, head_before, parse_segment_name, read_header, scan, segment_name
from coopy.logs import logger
from coopy.manifest import NOT_CLOSED, Listed, Manifest, write_manifest
from coopy.snapshot import parse_snapshot_name, snapshot_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coopy.disk import Disk, File
    from coopy.header import Identity
    from coopy.journal.segment import Outcomes
    from coopy.snapshot import SnapshotHeader

__all__ = ["HIGH_WATER", "Archive", "Segment", "high_water_of", "snapshot_path"]


HIGH_WATER = "HWM"

log = logger("journal")


class Segment(msgspec.Struct, frozen=True):
    """A segment as read: its file, its bytes, where its frames begin."""

    path: str
    about: SegmentHeader
    data: bytes
    start: int

    @property
    def before(self) -> Head:
        """Where the journal stands before it, as its header says."""
        return head_before(self.about.first_lsn, self.about.previous_tag)


class Archive:
    """The files of one directory. One thread changes it at a time: whoever opens it, then whoever has the engine to itself."""

    def __init__(self, disk: Disk, directory: str, key: bytes, manifest: Manifest, domain: str = "") -> None:
        self.disk, self.directory, self.key, self.manifest = disk, directory, key, manifest
        self.domain = domain or manifest.identity.domain  # what the class is called today
        self.framer = Framer(salt_of(manifest.identity.system), key)
        self.source: dict[str, bytes] = {}  # of today's program, by module; empty where it is not known
        self.opened: Scan | None = None  # how the last segment was found, as long as it is the last
        self.unread: list[tuple[Listed, Listed]] = []  # sealed and not read again yet, each with what follows it
        self._vouched: dict[int, Listed] = {}  # what the manifest does not say yet

    @property
    def identity(self) -> Identity:
        """Whose files these are, by the name that their class had when they were last opened for writing."""
        return self.manifest.identity

    @property
    def identity_today(self) -> Identity:
        """The same, by today's name."""
        return msgspec.structs.replace(self.identity, domain=self.domain)

    def path(self, name: str) -> str:
        """Where a file of this name is."""
        return f"{self.directory}/{name}"

    def change(self, **fields: object) -> None:
        """Replace fields of the manifest, and list what is vouched for; it is on stable storage when this returns."""
        vouched, manifest = dict(self._vouched), msgspec.structs.replace(self.manifest, **fields)
        found = {(one.first_lsn, one.previous_tag): one for one in vouched.values()}
        segments = tuple(found.get((one.first_lsn, one.previous_tag), one) for one in manifest.segments)
        manifest = msgspec.structs.replace(manifest, segments=segments)
        write_manifest(self.disk, self.directory, manifest, self.key)
        self.manifest = manifest
        for first_lsn in vouched:
            del self._vouched[first_lsn]

    def enlist(self, first_lsn: int, previous_tag: bytes) -> None:
        """A new segment belongs to the journal."""
        last, new = self.manifest.segments[-1], Listed(first_lsn, previous_tag)
        self.change(segments=(*self.manifest.segments, new))
        self.opened = None
        self.unread.append((last, new))

    def vouch(self, listed: Listed) -> None:
        """A segment was read again and is good. The manifest says so with its next change. Any thread may call it."""
        self._vouched[listed.first_lsn] = listed

    @property
    def is_vouched(self) -> bool:
        """Whether the manifest says all that is vouched for."""
        return not self._vouched

    def segment(self, listed: Listed) -> Segment:
        """Read a segment and check its header. Raises CorruptionError where it is not the listed one."""
        return self.read_as(listed, self.disk.read(self.path(segment_name(listed.first_lsn))))

    def read_as(self, listed: Listed, data: bytes) -> Segment:
        """The same for bytes that were read."""
        path = self.path(segment_name(listed.first_lsn))
        try:
            about, start = read_header(data, self.key, path, self.identity)
        except FormatError:
            raise  # not damage
        except CorruptionError as error:
            intact = f"Everything up to LSN {listed.first_lsn - 1} is in other files, and nothing was changed."
            ways = "Restore the file from another copy or a backup, or see what `coopy check` and `coopy repair` offer."
            raise CorruptionError(f"{error} {intact} {ways}", path=path, offset=error.offset, lsn=listed.first_lsn) from error
        self.check_listed(listed, about, path)
        return Segment(path, about, data, start)

    def check_listed(self, listed: Listed, about: SegmentHeader, path: str) -> None:
        """Raises CorruptionError where a header is not of the listed segment."""
        if (about.first_lsn, about.previous_tag) != (listed.first_lsn, listed.previous_tag):
            what = f"{path} is not the segment that belongs here: it begins with LSN {about.first_lsn} of another history. Nothing was changed."
            raise CorruptionError(f"{what} Put back the right file from a backup.", path=path, offset=0, lsn=listed.first_lsn)

    def foretell(self, segment: Segment) -> tuple[Outcomes, int]:
        """What a segment's control records say, and its last LSN, looked up and not checked: see journal/segment.py."""
        said, last = foretell(segment.data, segment.start, self.framer)
        return said, last or segment.about.first_lsn - 1

    def digests(self, segments: Iterable[Listed]) -> dict[int, str]:
        """By LSN, the digests of the state that these segments record, looked up and not checked."""
        found: dict[int, str] = {}
        for listed in segments:
            found.update(self.foretell(self.segment(listed))[0].digests)
        return found

    def scan(self, segment: Segment, head: Head) -> Scan:
        """Check a segment's frames one by one, given where the journal stands before it."""
        self.check_order(segment, head)
        return scan(segment.data, self.framer, Scan(head, segment.start), segment.path)

    def intact(self, listed: Listed, offset: int) -> int:
        """The last LSN that is whole before an offset of a segment, which cannot be read from there on."""
        path = self.path(segment_name(listed.first_lsn))
        file = self.disk.open_read(path)
        try:
            data = file.read(0, offset)
        finally:
            file.close()
        before = head_before(listed.first_lsn, listed.previous_tag)
        try:
            _, start = read_header(data, self.key, path, self.identity)
        except CorruptionError:  # it is cut off within its header
            return before.lsn
        return scan(data, self.framer, Scan(before, start), path).head.lsn

    def known(self, listed: Listed, segment: Segment) -> int:
        """Up to which offset a segment's bytes are those that were checked another day; 0 if they are not, which says nothing of the reason."""
        same = listed.size > 0 and sha256(memoryview(segment.data)[: listed.size]).digest() == listed.digest
        return listed.size if same else 0

    def checked(self, listed: Listed, segment: Segment, found: Scan) -> Listed:
        """A segment on the list, with what was found good in it: whoever reads the same bytes again need not check each record."""
        if found.end == found.known:
            return listed
        digest = sha256(memoryview(segment.data)[: found.end]).digest()
        return msgspec.structs.replace(listed, size=found.end, digest=digest)

    def check_last(self) -> tuple[Listed, ...]:
        """The list of segments once the last one was read again and checked. Its damage is logged: the next opening says what to do about it."""
        *others, listed = self.manifest.segments
        segment = self.segment(listed)
        opened, known = self.opened, self.known(listed, segment)
        begin = Scan(segment.before, segment.start, known) if opened is None or opened.end != known else Scan(opened.head, known, known)
        found = scan(segment.data, self.framer, begin, segment.path)
        if found.problem:
            log.warning("%s is damaged at offset %d (LSN %d): %s.", segment.path, found.end, found.head.lsn + 1, found.problem)
        return (*others, self.checked(listed, segment, found))

    def check_order(self, segment: Segment, head: Head) -> None:
        """Raises CorruptionError unless this is the segment that follows where the journal stands."""
        if segment.about.previous_tag != head.tag or segment.about.first_lsn != head.lsn + 1:
            what = f"{segment.path} does not follow LSN {head.lsn}: it belongs to another history. Nothing was changed."
            raise CorruptionError(f"{what} Put back the right file from a backup.", path=segment.path, offset=0, lsn=head.lsn + 1)

    def from_snapshot(self, lsn: int) -> tuple[Listed, ...]:
        """The segments behind a snapshot; empty if the journal does not reach back to it."""
        follow = tuple(one for one in self.manifest.segments if one.first_lsn > lsn)
        return follow if follow and follow[0].first_lsn == lsn + 1 else ()

    def replace_all(self, about: SnapshotHeader, epoch: int, temporary: str) -> File:
        """A checked snapshot file, and an empty segment behind it, instead of all segments and snapshots, which go to quarantine.

        Gives the segment's file. From the first step to the last the manifest lists nothing: a crash leaves something to be begun again.
        """
        disk = self.disk
        self.unread = []  # another list: who reads beside may have the old one in hand
        self._vouched.clear()
        self.change(segments=(), snapshots=(), noted=(), closed=NOT_CLOSED, epoch=max(epoch, self.manifest.epoch))
        self.set_all_aside()
        disk.replace(temporary, self.path(snapshot_name(about.lsn)))
        disk.sync_directory(self.directory)
        write_whole(disk, self.directory, HIGH_WATER, UNMARKED)
        file = create_segment(disk, self.directory, SegmentHeader(self.identity, about.lsn + 1, about.tag), self.key)
        self.change(segments=(Listed(about.lsn + 1, about.tag),), snapshots=(about.lsn,))
        return file

    def set_all_aside(self) -> None:
        """Move all segments and snapshots to quarantine, for good. The manifest lists none of them."""
        for name in self.disk.entries(self.directory):
            if parse_segment_name(name) is not None or parse_snapshot_name(name) is not None:
                self.set_aside(name)

    def set_aside(self, name: str) -> str:
        """Move a file to quarantine, for good. Gives its path."""
        folder = self.path("quarantine")
        self.disk.make_directories(folder)
        path = self._free(f"{folder}/{name}")
        self.disk.replace(self.path(name), path)
        self.disk.sync_directory(folder)
        return path

    def _free(self, wanted: str) -> str:
        """This path, or with a number behind it where it is taken."""
        path, number = wanted, 1
        while self.disk.exists(path):
            path, number = f"{wanted}.{number}", number + 1
        return path

    def quarantine(self, name: str, data: bytes) -> str:
        """Put bytes aside, for good; on stable storage when this returns. Gives the path."""
        folder = self.path("quarantine")
        self.disk.make_directories(folder)
        path = self._free(f"{folder}/{name}")
        file = self.disk.create(path)
        try:
            file.write(0, data)
            file.sync()
        finally:
            file.close()
        self.disk.sync_directory(folder)
        return path


def snapshot_path(archive: Archive, lsn: int) -> str:
    """Where the snapshot after this action is."""
    return archive.path(snapshot_name(lsn))


def high_water_of(archive: Archive) -> int:
    """The last LSN that is said to be on stable storage."""
    mark = HighWater(archive.disk.open_read(archive.path(HIGH_WATER)), archive.identity.system, archive.key)
    mark.close()
    return max(mark.mark.lsn, archive.manifest.closed)
