"""Read everything that is kept, execute nothing, change nothing: is it whole?"""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

import msgspec

from coopy.disk import UnreadableError
from coopy.engine.archive import snapshot_path
from coopy.engine.opening import high_water_of, prove_end, read_archive
from coopy.engine.restore import check_sealed
from coopy.error import CoopyError, CorruptionError
from coopy.journal.segment import head_before
from coopy.snapshot import open_snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coopy.engine.archive import Archive
    from coopy.engine.opening import Place

__all__ = ["Checked", "check_directory"]


class Checked(msgspec.Struct, frozen=True):
    """What was read, and what is wrong with it, if anything is."""

    path: str
    found: str
    problem: str = ""


def check_directory(place: Place) -> Iterator[Checked]:
    """Each file of the directory in turn. Raises nothing about damage; gives it."""
    try:
        archive = read_archive(place)
    except CoopyError as error:
        yield Checked(str(getattr(error, "path", place.directory)), "the directory", str(error))
        return
    if archive is None:
        yield Checked(place.directory, "no system yet")
        return
    yield Checked(place.path("MANIFEST"), f"{archive.identity.domain}, epoch {archive.manifest.epoch}")
    for lsn in archive.manifest.snapshots:
        yield _snapshot(archive, lsn)
    yield from _segments(archive)


def _snapshot(archive: Archive, lsn: int) -> Checked:
    path, size = snapshot_path(archive, lsn), 0
    try:
        about, stream = open_snapshot(archive.disk, path, archive.key, archive.identity)
        with stream:
            while block := stream.read(1 << 20):
                size += len(block)
        follow = archive.from_snapshot(lsn)
        if not follow or follow[0].previous_tag != about.tag:
            return Checked(path, f"LSN {about.lsn}", f"{path} does not fit the journal: it is a snapshot of another history.")
    except (CoopyError, UnreadableError) as error:
        return Checked(path, f"LSN {lsn}", str(error))
    return Checked(path, f"LSN {lsn}, {size:,} bytes of state, Python {about.python}")


def _segments(archive: Archive) -> Iterator[Checked]:
    first = archive.manifest.segments[0]
    head = head_before(first.first_lsn, first.previous_tag)
    every = archive.manifest.segments
    for listed, following in zip_longest(every, every[1:]):
        try:
            segment = archive.segment(listed)
            found = archive.scan(segment, head)
            torn = b""
            if following is None:
                torn = prove_end(archive, segment, found, high_water_of(archive))
            else:
                check_sealed(segment, found, following)
        except UnreadableError as error:
            problem = f"{error} at offset {error.offset}, after LSN {archive.intact(listed, error.offset)}"
            yield Checked(str(error.filename), f"LSN {listed.first_lsn} and on", problem)
            return
        except CorruptionError as error:
            yield Checked(str(getattr(error, "path", "")), f"LSN {listed.first_lsn} and on", str(error))
            return
        tail = f", {len(torn)} bytes of a torn tail that the next opening moves to quarantine" if torn else ""
        yield Checked(segment.path, f"LSN {listed.first_lsn} to {found.head.lsn}{', closed' if found.closed else ''}{tail}")
        head = found.head
