"""What an operator may decide and coopy never does by itself: drop a tail, leave an action out, rebuild the manifest.

Each takes the lock, finds out what it would do, says so to `agreed`, and does nothing if that raises. Then it changes one thing, and what it
takes away or replaces is kept in quarantine/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from coopy.disk import UnreadableError, write_whole
from coopy.engine.archive import Archive, snapshot_path
from coopy.engine.cut import plan_cut, read_as_listed
from coopy.engine.legible import read_legible
from coopy.engine.opening import HIGH_WATER, nothing_there, open_archive, read_listed
from coopy.engine.recorded import existing
from coopy.error import AuthenticationError, CoopyError, CorruptionError, FormatError, UsageError
from coopy.journal.high_water import UNMARKED, HighWater
from coopy.journal.segment import Head, SegmentHeader, head_before, parse_segment_name, read_header, segment_name
from coopy.manifest import NAME as MANIFEST
from coopy.manifest import NOT_CLOSED, Listed, Manifest, read_manifest, write_manifest
from coopy.snapshot import parse_snapshot_name, read_through, snapshot_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.engine.opening import Place
    from coopy.header import Identity

__all__ = ["drop_tail", "plan_manifest", "rebuild_manifest", "skip_action"]


def drop_tail(place: Place, agreed: Callable[[str], object]) -> tuple[int, str | None]:
    """Move what does not hold at the journal's end to quarantine, the newest segment as a whole where that is lost.

    Gives the last LSN that is left and where the bytes are now: empty where there were none, None where nothing had to be done.
    """
    existing(place, "repair", read_listed)  # before a LOCK is left in what is none of ours
    lock = place.disk.lock(place.directory)
    try:
        cut = plan_cut(place)
        if not cut.words:
            return cut.end.lsn, None
        agreed(cut.words)
        archive, listed = cut.archive, len(cut.archive.manifest.segments)
        name = segment_name(cut.segments[-1].first_lsn)
        kept = archive.quarantine(f"{name}.{cut.offset}", cut.aside) if cut.aside else ""
        for one in cut.segments[listed - 1 : -1]:
            # Its SEAL may have been read from the cache only, and a segment with another behind it is never written again.
            write_whole(place.disk, place.directory, segment_name(one.first_lsn), place.disk.read(place.path(segment_name(one.first_lsn))))
        write_whole(place.disk, place.directory, name, cut.kept)
        _write_high_water(place, archive.identity.system, cut.end)
        skips = tuple(lsn for lsn in archive.manifest.skips if lsn <= cut.end.lsn)  # the next action with such an LSN is another one
        archive.change(closed=NOT_CLOSED, segments=cut.segments, skips=skips)
        return cut.end.lsn, kept
    finally:
        lock.release()


def skip_action(place: Place, lsn: int, agreed: Callable[[str], object]) -> str:
    """Leave an action out of every restore from now on. Gives where the manifest as it was is now. Raises UsageError for an LSN that no restore would run."""
    existing(place, "repair")  # as above
    lock = place.disk.lock(place.directory)
    try:
        archive = _archive(place)
        _check_skip(archive, lsn)
        agreed(
            f"The action with LSN {lsn} is left out of every restore from now on, as if it had not happened.{_elsewhere(archive.manifest)}"
        )
        kept = archive.quarantine(MANIFEST, place.disk.read(place.path(MANIFEST)))
        archive.change(skips=tuple(sorted({*archive.manifest.skips, lsn})))
        for cell in range(3):
            lock.cells[cell] = 0
        return kept
    finally:
        lock.release()


def _elsewhere(manifest: Manifest) -> str:
    """What others make of the same action."""
    if manifest.stream:
        what = " This is a node's directory: do the same in the directory of each other node, or move it away, while none is open"
        return f"{what}, and open this one first. A node whose directory has executed the action is refused then; one that is made anew leaves it out."
    if manifest.follows:
        return " This is a replica's directory: do the same in its primary's, or the two differ from now on."
    return ""


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


def rebuild_manifest(place: Place, agreed: Callable[[str], object], *, follows: bool, stream: str = "") -> Rebuilt:
    """Write MANIFEST (and HWM, if it is missing or cannot be read) anew, as `plan_manifest` says."""
    _check_any(place)  # before a LOCK is left in what is none of ours
    lock = place.disk.lock(place.directory)
    try:
        plan = plan_manifest(place, follows=follows, stream=stream)
        agreed(plan.words)
        if place.disk.exists(place.path(MANIFEST)):
            archive = Archive(place.disk, place.directory, place.key, plan.manifest)
            archive.quarantine(MANIFEST, read_legible(place.disk, place.path(MANIFEST)).data)
        if not _has_high_water(place):
            _write_high_water(place, plan.manifest.identity.system, plan.end)
        write_manifest(place.disk, place.directory, plan.manifest, place.key)
        return plan
    finally:
        lock.release()


class Rebuilt(msgspec.Struct, frozen=True):
    """A manifest, where the journal ends, and both for people. `known`: whether the manifest that was there said whose directory it is."""

    manifest: Manifest
    end: Head
    words: str
    known: bool


def plan_manifest(place: Place, *, follows: bool, stream: str = "") -> Rebuilt:
    """MANIFEST as segments and snapshots say it, which must be of one history. Both are read whole: what is damaged is not listed. Changes nothing.

    `follows`: the directory is a replica's; `stream`: it is a node's, of this stream. Nothing but the manifest says so: one that can be read is
    believed in that, and in all else that no other file says. Raises UsageError where no stream is named, and the journal is a node's.
    """
    _check_any(place)
    names = place.disk.entries(place.directory)
    headers = _segment_headers(place, names)
    identity = headers[-1].identity
    was, known = _as_it_was(place, identity)
    segments = tuple(Listed(one.first_lsn, one.previous_tag) for one in headers)
    archive = Archive(place.disk, place.directory, place.key, msgspec.structs.replace(was, segments=segments, closed=NOT_CLOSED))
    follows, stream = follows or was.follows, stream or was.stream
    head, is_node, sealed = _scan_all(archive)
    if is_node and not stream:
        what = f"{place.directory} is a node's directory: its journal says which messages of a stream it took. Nothing was changed"
        raise UsageError(f"{what}. Name the cluster: `coopy repair --manifest --node NAME {place.directory}`.", path=place.directory)
    if sealed:  # for a segment that is missing or damaged, or there would be another one: it is listed, so that opening says so
        listed = (*archive.manifest.segments, Listed(sealed, head.tag))
        archive.manifest = msgspec.structs.replace(archive.manifest, segments=listed)
    numbers = sorted(lsn for lsn in map(parse_snapshot_name, names) if lsn is not None)
    snapshots = tuple(lsn for lsn in numbers if _fits(archive, lsn))
    if not snapshots:
        raise CorruptionError(
            f"No snapshot in {place.directory} fits the journal: restore it from a backup.", path=place.directory, offset=0
        )
    manifest = msgspec.structs.replace(
        archive.manifest, epoch=max(was.epoch, head.epoch), snapshots=snapshots, follows=follows, stream=stream
    )
    whose = f"a node's, of the stream {stream}" if stream else "a replica's" if follows else "no replica's"
    kept = f"{len(manifest.segments)} segments up to LSN {head.lsn}, snapshots at LSN {', '.join(map(str, snapshots))}"
    return Rebuilt(manifest, head, f"MANIFEST is written anew, as {whose}: {kept}.", known)


def _as_it_was(place: Place, identity: Identity) -> tuple[Manifest, bool]:
    """The manifest that is there and True, or an empty one and False where it cannot be read, or is of another system."""
    try:
        was = read_manifest(place.disk, place.directory, place.key)
    except FormatError:
        raise  # not damage
    except (CorruptionError, AuthenticationError, UnreadableError):
        was = None
    return (was, True) if was is not None and was.identity.system == identity.system else (Manifest(identity, 0), False)


def _check_any(place: Place) -> None:
    if all(parse_segment_name(name) is None for name in place.disk.entries(place.directory)):
        raise UsageError(f"{place.directory} holds no segment: there is nothing to rebuild a manifest from.", path=place.directory)


def _archive(place: Place) -> Archive:
    archive = open_archive(place)
    if archive is None:
        raise nothing_there(place.directory, "repair")
    return archive


def _segment_headers(place: Place, names: list[str]) -> list[SegmentHeader]:
    """In order of LSN. The newest may be damaged: the one before tells where it began, and `drop_tail` what is left of it."""
    found: list[SegmentHeader] = []
    own = sorted(name for name in names if parse_segment_name(name) is not None)
    for name in own:
        path = place.path(name)
        try:
            about, _ = read_header(read_legible(place.disk, path).data, place.key, path, found[0].identity if found else None)
        except FormatError:
            raise  # not damage
        except CorruptionError as error:
            if name != own[-1]:
                raise
            if not found:
                found.append(_as_snapshot_says(place, name, error))
        else:
            found.append(about)
    return sorted(found, key=lambda one: one.first_lsn)


def _as_snapshot_says(place: Place, name: str, damage: CorruptionError) -> SegmentHeader:
    """The header of the only segment, which does not hold: the snapshot right before it repeats all of it. Raises the damage where there is none."""
    first = parse_segment_name(name)
    assert first is not None
    try:
        about, _ = read_through(place.disk, place.path(snapshot_name(first - 1)), place.key, None)
    except FormatError:
        raise  # not damage
    except (FileNotFoundError, CorruptionError, UnreadableError):
        what = (
            f"{damage} MANIFEST cannot be read either, and no snapshot at LSN {first - 1} says what the header said. Nothing was changed."
        )
        raise CorruptionError(f"{what} Restore one of the three from a backup.", path=damage.path, offset=damage.offset) from damage
    return SegmentHeader(about.identity, first, about.tag)


def _scan_all(archive: Archive) -> tuple[Head, bool, int]:
    """The end of a journal whose segments follow one another without a gap, whether a node wrote it, and for which LSN the last one is sealed, or 0."""
    first = archive.manifest.segments[0]
    head, is_node, sealed = head_before(first.first_lsn, first.previous_tag), False, 0
    for listed in archive.manifest.segments:
        found = archive.scan(read_as_listed(archive, listed).segment, head)
        head, is_node, sealed = found.head, is_node or bool(found.said.taken), found.sealed
    return head, is_node, sealed


def _fits(archive: Archive, lsn: int) -> bool:
    try:
        about, _ = read_through(archive.disk, snapshot_path(archive, lsn), archive.key, archive.identity)
    except (CoopyError, UnreadableError):
        return False  # it is damaged or another's: it stays where it is, unlisted
    follow = archive.from_snapshot(lsn)
    return about.lsn == lsn and bool(follow) and follow[0].previous_tag == about.tag


def _has_high_water(place: Place) -> bool:
    """Whether there is one that can be read, for what it is worth."""
    try:
        place.disk.read(place.path(HIGH_WATER))
    except (FileNotFoundError, UnreadableError):
        return False
    return True


def _write_high_water(place: Place, system: bytes, head: Head) -> None:
    write_whole(place.disk, place.directory, HIGH_WATER, UNMARKED)
    mark = HighWater(place.disk.open(place.path(HIGH_WATER)), system, place.key)
    mark.write(head.lsn, head.action_tag, sync=True)
    mark.close()
