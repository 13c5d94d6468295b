"""Read everything that is kept, execute nothing, change nothing: is it whole?

Most bytes of a journal were checked record by record another day, and the manifest says by a digest which (SHA-256): for them it is enough that
they are still the same, which costs little more than reading them. All others are checked one record after another: CRC, LSN, time, epoch and tag.
Where a digest does not match, records say what is wrong. The directory may be open: what is written meanwhile is no damage.
"""

from __future__ import annotations

from hashlib import sha256
from itertools import zip_longest
from typing import TYPE_CHECKING, Literal

import msgspec

from coopy.disk import UnreadableError
from coopy.engine.archive import Segment, high_water_of, snapshot_path
from coopy.engine.opening import read_archive
from coopy.engine.recorded import proven_end
from coopy.engine.restore import check_sealed
from coopy.engine.unlisted import as_opened
from coopy.error import CoopyError, CorruptionError, FormatError
from coopy.journal.segment import Head, Scan, head_before, last_frame, read_header, scan, segment_name
from coopy.manifest import read_manifest
from coopy.snapshot import read_through

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coopy.disk import File
    from coopy.engine.archive import Archive
    from coopy.engine.opening import Place
    from coopy.manifest import Listed

    How = Literal["digest", "records", "both", "blocks", "header"]

__all__ = ["Checked", "check_directory"]

PIECE = 1 << 20


class Checked(msgspec.Struct, frozen=True):
    """What was read, and what is wrong with it, if anything is.

    `how`: a segment by the manifest's digest of it, record by record, or both, one behind the other; a snapshot by the digests of its blocks, the
    manifest by its header. `first`, `last`: LSNs that it holds. `offset`: where it stops being whole, if that is known; `lsn`: the first that is lost.
    """

    path: str
    how: How
    found: str
    first: int = 0
    last: int = 0
    problem: str = ""
    offset: int | None = None
    lsn: int | None = None


def check_directory(place: Place, *, full: bool = False) -> Iterator[Checked]:
    """Each file of the directory in turn. `full`: every record, whatever digests say.

    Gives damage, and raises none. Raises FormatError, AuthenticationError and UsageError for what cannot be read at all, or holds no system.
    """
    try:
        archive = read_archive(place)
        if archive is not None:
            high_water_of(archive)
    except FormatError:
        raise
    except CorruptionError as error:
        yield _damaged(str(getattr(error, "path", place.directory)), "header", error)
        return
    except UnreadableError as error:
        yield _damaged(str(error.filename), "header", error)
        return
    if archive is None:
        return
    yield Checked(place.path("MANIFEST"), "header", f"{archive.identity.domain}, epoch {archive.manifest.epoch}")
    for lsn in archive.manifest.snapshots:
        yield _snapshot(archive, lsn)
    archive, unknown = _opened(archive)
    named = set()
    for one in _segments(archive, full=full):
        named.add(one.path)
        yield one
    if unknown is not None and unknown.path not in named:
        yield unknown


def _opened(archive: Archive) -> tuple[Archive, Checked | None]:
    """As an opening would find it, and the segment where that would stop, if it does because of one that is not listed."""
    try:
        return as_opened(archive), None
    except UnreadableError:  # the segment itself is told of where it is checked
        return archive, None
    except CorruptionError as error:
        return archive, _damaged(error.path, "header", error)


def _damaged(path: str, how: How, error: Exception, first: int = 0) -> Checked:
    offset, lsn = getattr(error, "offset", None), getattr(error, "lsn", None)
    return Checked(path, how, f"from LSN {first} on" if first else "", first, problem=str(error), offset=offset, lsn=lsn)


# --- snapshots -------------------------------------------------------------------------------------------------------


def _snapshot(archive: Archive, lsn: int) -> Checked:
    path = snapshot_path(archive, lsn)
    try:
        about, size = read_through(archive.disk, path, archive.key, archive.identity)
    except FileNotFoundError:
        return _gone(archive, path, "blocks", lsn)
    except (CoopyError, UnreadableError) as error:
        return _damaged(path, "blocks", error, lsn)
    follow = archive.from_snapshot(lsn)
    if not follow or follow[0].previous_tag != about.tag:
        problem = f"{path} does not fit the journal: it is a snapshot of another history."
        return Checked(path, "blocks", f"LSN {about.lsn}", lsn, lsn, problem, offset=0)
    return Checked(path, "blocks", f"LSN {about.lsn}, {size:,} bytes of state, Python {about.python}", lsn, lsn)


def _gone(archive: Archive, path: str, how: How, lsn: int) -> Checked:
    """A file that was listed, and is not there any more: pruned by whoever has the directory open, as the manifest says by now, or lost."""
    manifest = read_manifest(archive.disk, archive.directory, archive.key)
    listed = manifest is None or lsn in manifest.snapshots or lsn in {one.first_lsn for one in manifest.segments}
    problem = f"{path} went while the directory was read, and the manifest lists it." if listed else ""
    return Checked(path, how, "pruned meanwhile", lsn, lsn, problem, offset=0 if listed else None)


# --- segments --------------------------------------------------------------------------------------------------------


def _segments(archive: Archive, *, full: bool) -> Iterator[Checked]:
    first = archive.manifest.segments[0]
    head = head_before(first.first_lsn, first.previous_tag)
    every = archive.manifest.segments
    proven = high_water_of(archive)  # before the segments are read, to which somebody may be adding
    for listed, following in zip_longest(every, every[1:]):
        one = _Segment(archive, listed, following, head, proven)
        try:
            result, head = (None if full else one.by_digest()) or one.by_record()
        except UnreadableError as error:
            intact = archive.intact(listed, error.offset)
            problem = f"{one.path} cannot be read at offset {error.offset}, after LSN {intact}: {error.strerror}. Everything up to there is intact."
            found = f"from LSN {listed.first_lsn} on"
            yield Checked(one.path, "records", found, listed.first_lsn, problem=problem, offset=error.offset, lsn=intact + 1)
            return
        except FileNotFoundError:
            result = _gone(archive, one.path, "records", listed.first_lsn)
            head = head_before(following.first_lsn, following.previous_tag) if following is not None else head
        except CorruptionError as error:
            yield _damaged(str(getattr(error, "path", one.path)), "records", error, listed.first_lsn)
            return
        yield result


class _Segment:
    """One segment, between what is before and what follows. `proven`: what was on stable storage before it is read."""

    def __init__(self, archive: Archive, listed: Listed, following: Listed | None, head: Head, proven: int) -> None:
        self.archive, self.listed, self.following, self.head, self.proven = archive, listed, following, head, proven
        self.path = archive.path(segment_name(listed.first_lsn))

    def by_record(self) -> tuple[Checked, Head]:
        """Record by record. Raises CorruptionError for damage, which it names."""
        segment = self.archive.segment(self.listed)
        found = self.archive.scan(segment, self.head)
        return self._judged(segment, found, "records"), found.head

    def by_digest(self) -> tuple[Checked, Head] | None:
        """By the digest of what was checked another day, and what is behind that record by record. None where that does not say that it is whole."""
        file = self.archive.disk.open_read(self.path)
        try:
            vouched = self._vouched(file)
            if vouched is None:
                return None
            front, tail = vouched
            rest = file.read(self.listed.size, file.size() - self.listed.size)
        finally:
            file.close()
        at = last_frame(tail, self.archive.framer)
        frame = self.archive.framer.header(tail, at) if at >= 0 else None
        if frame is None:  # it is of nothing but the header, or of one large record
            return None
        try:
            about, start = read_header(front, self.archive.key, self.path, self.archive.identity)
            segment = Segment(self.path, about, tail + rest, start)
            self.archive.check_order(segment, self.head)
            found = Scan(Head(frame.lsn, frame.time_us, frame.epoch, frame.tag, frame.tag), len(tail), last=at)
            found.before = self.listed.first_lsn - 1
            scan(segment.data, self.archive.framer, found, self.path)
            return self._judged(segment, found, "both" if found.end > len(tail) else "digest"), found.head
        except CorruptionError:
            return None  # the records say better what it is

    def _vouched(self, file: File) -> tuple[bytes, bytes] | None:
        """The first and the last pieces of what is as it was when it was checked; None where it is not, or never was."""
        size = self.listed.size
        if not 0 < size <= file.size():
            return None
        hasher, front, before, piece = sha256(), b"", b"", b""
        for offset in range(0, size, PIECE):
            before, piece = piece, file.read(offset, min(PIECE, size - offset))
            hasher.update(piece)
            front = front or piece
        return (front, before + piece) if hasher.digest() == self.listed.digest else None

    def _judged(self, segment: Segment, found: Scan, how: How) -> Checked:
        torn = b""
        if self.following is None:
            torn = proven_end(self.archive, segment, found, self.proven)
        else:
            check_sealed(segment, found, self.following)
        first, last = self.listed.first_lsn, found.head.lsn
        holds = f"LSN {first} to {last}" if last >= first else f"no action yet, LSN {first} is next"
        closed = ", closed" if found.closed else ""
        tail = f", {len(torn)} bytes of a torn tail that the next opening moves to quarantine" if torn else ""
        return Checked(self.path, how, f"{holds}{closed}{tail}", first, last)
