"""What an operator may decide and coopy never does by itself: drop a tail, leave an action out, rebuild the manifest.

Each takes the lock, finds out what it would do, says so to `agreed`, and does nothing if that raises. Then it changes one thing, and what it
takes away or replaces is kept in quarantine/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from coopy.disk import UnreadableError, write_whole
from coopy.engine.archive import Archive, high_water_of, snapshot_path
from coopy.engine.opening import HIGH_WATER, nothing_there, open_archive
from coopy.error import CoopyError, CorruptionError, UsageError
from coopy.journal.high_water import UNMARKED, HighWater
from coopy.journal.segment import Head, head_before, parse_segment_name, read_header, segment_name
from coopy.manifest import NAME as MANIFEST
from coopy.manifest import NOT_CLOSED, Listed, Manifest, write_manifest
from coopy.snapshot import parse_snapshot_name, read_through

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.engine.opening import Place
    from coopy.journal.segment import SegmentHeader

__all__ = ["drop_tail", "rebuild_manifest", "skip_action"]


def drop_tail(place: Place, agreed: Callable[[str], object]) -> tuple[int, str]:
    """Move what does not hold at the journal's end to quarantine. Gives the last LSN that is left and where the bytes are now."""
    lock = place.disk.lock(place.directory)
    try:
        archive = _archive(place)
        listed = archive.manifest.segments[-1]
        segment = archive.segment(listed)
        found = archive.scan(segment, segment.before)
        tail, name = segment.data[found.end :].rstrip(b"\0"), segment_name(listed.first_lsn)
        if not tail and high_water_of(archive) <= found.head.lsn:
            return found.head.lsn, ""
        lost = max(high_water_of(archive), found.head.lsn)
        what = f"{len(tail):,} bytes of {segment.path}, from offset {found.end} on, go to quarantine. The journal ends at LSN {found.head.lsn} then"
        agreed(f"{what}; up to LSN {lost} it was on stable storage once." if lost > found.head.lsn else f"{what}.")
        kept = archive.quarantine(f"{name}.{found.end}", tail) if tail else ""
        write_whole(place.disk, place.directory, name, segment.data[: found.end])
        _write_high_water(place, archive.identity.system, found.head)
        archive.change(closed=NOT_CLOSED)
        return found.head.lsn, kept
    finally:
        lock.release()


def skip_action(place: Place, lsn: int, agreed: Callable[[str], object]) -> str:
    """Leave an action out of every restore from now on. Gives where the manifest as it was is now. Raises UsageError for an LSN that no restore would run."""
    lock = place.disk.lock(place.directory)
    try:
        archive = _archive(place)
        _check_skip(archive, lsn)
        agreed(f"The action with LSN {lsn} is left out of every restore from now on, as if it had not happened.")
        kept = archive.quarantine(MANIFEST, place.disk.read(place.path(MANIFEST)))
        archive.change(skips=tuple(sorted({*archive.manifest.skips, lsn})))
        for cell in range(3):
            lock.cells[cell] = 0
        return kept
    finally:
        lock.release()


def _check_skip(archive: Archive, lsn: int) -> None:
    newest, last = archive.manifest.snapshots[-1], archive.manifest.segments[-1]
    if lsn <= newest:
        what = f"LSN {lsn} cannot be left out: what it did is already in the snapshot at LSN {newest}. Nothing was changed."
        raise UsageError(f"{what} Restore a backup from before it.", lsn=lsn)
    segment = archive.segment(last)
    end = archive.scan(segment, segment.before).head.lsn
    if lsn > end:
        what = f"LSN {lsn} cannot be left out: the journal ends at LSN {end}, and the next call would get lost. Nothing was changed."
        raise UsageError(f"{what} `coopy check` shows what there is.", lsn=lsn)


def rebuild_manifest(place: Place, agreed: Callable[[str], object], *, follows: bool, stream: str = "") -> Manifest:
    """Write MANIFEST (and HWM, if it is missing) anew from segments and snapshots, which must be of one history. Both are read whole: what is damaged is not listed.

    `follows`: the directory is a replica's; `stream`: it is a node's, of this stream. Nothing but the manifest said so. Raises
    UsageError where no stream is named, and the journal is a node's.
    """
    # Before a LOCK is left in what is none of ours.
    if all(parse_segment_name(name) is None for name in place.disk.entries(place.directory)):
        raise UsageError(f"{place.directory} holds no segment: there is nothing to rebuild a manifest from.", path=place.directory)
    lock = place.disk.lock(place.directory)
    try:
        names = place.disk.entries(place.directory)
        headers = _segment_headers(place, names)
        identity = headers[-1].identity
        segments = tuple(Listed(one.first_lsn, one.previous_tag) for one in headers)
        archive = Archive(place.disk, place.directory, place.key, Manifest(identity, 0, segments))
        head, is_node = _scan_all(archive)
        if is_node and not stream:
            what = f"{place.directory} is a node's directory: its journal says which messages of a stream it took. Nothing was changed"
            raise UsageError(f"{what}. Name the cluster: `coopy repair --manifest --node NAME {place.directory}`.", path=place.directory)
        numbers = sorted(lsn for lsn in map(parse_snapshot_name, names) if lsn is not None)
        snapshots = tuple(lsn for lsn in numbers if _fits(archive, lsn))
        if not snapshots:
            raise CorruptionError(
                f"No snapshot in {place.directory} fits the journal: restore it from a backup.", path=place.directory, offset=0
            )
        manifest = msgspec.structs.replace(archive.manifest, epoch=head.epoch, snapshots=snapshots, follows=follows, stream=stream)
        whose = f"a node's, of the stream {stream}" if stream else "a replica's" if follows else "no replica's"
        agreed(
            f"MANIFEST is written anew, as {whose}: {len(segments)} segments up to LSN {head.lsn}, snapshots at LSN {', '.join(map(str, snapshots))}."
        )
        if MANIFEST in names:
            archive.quarantine(MANIFEST, place.disk.read(place.path(MANIFEST)))
        if HIGH_WATER not in names:
            _write_high_water(place, identity.system, head)
        write_manifest(place.disk, place.directory, manifest, place.key)
        return manifest
    finally:
        lock.release()


def _archive(place: Place) -> Archive:
    archive = open_archive(place)
    if archive is None:
        raise nothing_there(place.directory, "repair")
    return archive


def _segment_headers(place: Place, names: list[str]) -> list[SegmentHeader]:
    found: list[SegmentHeader] = []
    for name in names:
        if parse_segment_name(name) is not None:
            path = place.path(name)
            about, _ = read_header(place.disk.read(path), place.key, path, found[0].identity if found else None)
            found.append(about)
    return sorted(found, key=lambda one: one.first_lsn)


def _scan_all(archive: Archive) -> tuple[Head, bool]:
    """The end of a journal whose segments follow one another without a gap, and whether a node wrote it."""
    first = archive.manifest.segments[0]
    head, is_node = head_before(first.first_lsn, first.previous_tag), False
    for listed in archive.manifest.segments:
        found = archive.scan(archive.segment(listed), head)
        head, is_node = found.head, is_node or bool(found.said.taken)
    return head, is_node


def _fits(archive: Archive, lsn: int) -> bool:
    try:
        about, _ = read_through(archive.disk, snapshot_path(archive, lsn), archive.key, archive.identity)
    except (CoopyError, UnreadableError):
        return False  # it is damaged or another's: it stays where it is, unlisted
    follow = archive.from_snapshot(lsn)
    return about.lsn == lsn and bool(follow) and follow[0].previous_tag == about.tag


def _write_high_water(place: Place, system: bytes, head: Head) -> None:
    write_whole(place.disk, place.directory, HIGH_WATER, UNMARKED)
    mark = HighWater(place.disk.open(place.path(HIGH_WATER)), system, place.key)
    mark.write(head.lsn, head.action_tag, sync=True)
    mark.close()
