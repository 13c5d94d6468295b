"""A directory becomes a running system, or an error that says what is wrong with it, where, what is intact and what to do.

    nothing there      create: the initial state as snapshot 0, an empty segment, and last the manifest that lists both
    a system there     check what belongs to it -> restore -> judge the journal's end -> put a torn tail aside -> persist again what an
                       unclean end leaves in doubt -> a new epoch

Nothing is ever deleted to mend something, and nothing is changed before everything that is kept has been read and found good.
"""

from __future__ import annotations

import errno
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from coopy.disk import Disk, UnreadableError, is_full, write_whole
from coopy.engine.archive import HIGH_WATER, Archive
from coopy.engine.restore import Bounds, Replayed, Restorer
from coopy.engine.restored import code_from_now
from coopy.engine.uninterrupted import Worker
from coopy.engine.unlisted import adopt
from coopy.engine.unsaid import note_outcomes
from coopy.error import CorruptionError, DiskFullError, DurabilityError, FormatError, UsageError
from coopy.header import Identity
from coopy.journal.frame import Kind, genesis_tag
from coopy.journal.high_water import UNMARKED, HighWater
from coopy.journal.journal import Journal, create_segment
from coopy.journal.repair import judge_end
from coopy.journal.segment import SegmentHeader, segment_name
from coopy.logs import logger
from coopy.manifest import NOT_CLOSED, OTHERS, Listed, Manifest, is_own, read_manifest, write_manifest
from coopy.renames import NO_NAMES, Names
from coopy.signalled import from_signal
from coopy.snapshot import SnapshotHeader, put_snapshot, python_version, snapshot_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from coopy.disk import Lock
    from coopy.engine.archive import Segment
    from coopy.journal.segment import Scan

__all__ = [
    "HIGH_WATER",
    "Place",
    "check_listed",
    "create",
    "create_high_water",
    "domain_name",
    "nothing_there",
    "open_archive",
    "open_journal",
    "prove_end",
    "read_archive",
    "read_listed",
    "restore_all",
    "settle_end",
    "told",
    "unreadable",
]

log = logger("journal")
_CHOOSE, _ALLOW = "Choose another directory.", "Give this user the right to, or choose another directory."
PATHS = {
    errno.ENOTDIR: f"A file stands in the way. {_CHOOSE}", errno.ENOENT: f"A link leads nowhere, or a directory is missing. {_CHOOSE}",
    errno.ELOOP: f"Links lead round in a circle. {_CHOOSE}", errno.ENAMETOOLONG: "Choose a shorter name.", errno.EINVAL: _CHOOSE,
    errno.EEXIST: _CHOOSE, errno.EISDIR: _CHOOSE, errno.EACCES: _ALLOW, errno.EPERM: _ALLOW, errno.EROFS: _ALLOW,
}  # fmt: skip
_MORE_FILES = "Close what is not needed, or raise the limit of open files (`ulimit -n`; each system takes a few)"
LIMITS = {errno.EMFILE: _MORE_FILES, errno.ENFILE: _MORE_FILES}
OLD_COOPY = r"coopy\.json|snapshot_.*\.dat|transaction_.*\.log"


class Place(msgspec.Struct, frozen=True):
    """Where a system lives. `key`: derived from the signing key, or empty. `domain`: its class, "module:Name"; empty for any.

    `names`: where former names lead.
    """

    disk: Disk
    directory: str
    key: bytes
    domain: str
    names: Names = NO_NAMES

    def path(self, name: str) -> str:
        """Where a file of this name is."""
        return f"{self.directory}/{name}"


def domain_name(kind: type) -> str:
    """How a directory names the class that it belongs to."""
    return f"{kind.__module__}:{kind.__qualname__}"


@contextmanager
def told(directory: str, needed: int = 0, *, done: str = "opened", again: str = "open it again") -> Iterator[None]:
    """What the operating system refuses while a directory is opened or created, as an error that says what to do. `needed`: bytes of room, if known.

    `done`, `again`: what else was to be done with it, and how to try that again.

    Where it is about the path it is UsageError, where there is no room DiskFullError, where a disk does not give what it holds CorruptionError, and
    else DurabilityError. A second try goes on where the first one stopped.
    """
    try:
        yield
    except UnreadableError as error:
        ways = f"Check the disk and {again}, or see what `coopy check` and `coopy repair` offer."
        raise CorruptionError(f"{error} Nothing was changed. {ways}", path=str(error.filename), offset=error.offset) from error
    except OSError as error:
        if from_signal(error):
            raise
        if is_full(error):
            room = f"{needed:,} bytes in " if needed else ""
            what = f"There is no room for {room}{directory}: {error}. What is kept there is intact. Make room and {again}."
            raise DiskFullError(what, path=directory, needed=needed) from error
        if error.errno in PATHS:
            what = f"{directory} cannot be {done}: {error}. Nothing that is kept there was changed."
            raise UsageError(f"{what} {PATHS[error.errno]}", path=directory) from error
        what = f"{directory} could not be {done}: {error}. What is kept there is intact."
        ways = LIMITS.get(error.errno or 0, "Check the disk")
        raise DurabilityError(f"{what} {ways}, and {again}.", path=directory) from error


# --- create ----------------------------------------------------------------------------------------------------------


def create(place: Place, state: bytes, compression: str) -> None:
    """Write a new system. Until the last step the manifest lists nothing, so that a crash leaves something to be begun again."""
    import secrets

    disk, directory = place.disk, place.directory
    identity = Identity(secrets.token_bytes(16), secrets.token_bytes(32), place.domain)
    tag = genesis_tag(identity.system, place.key)
    write_manifest(disk, directory, Manifest(identity, 0), place.key)
    create_high_water(place, identity)
    about = SnapshotHeader(identity, 0, 0, 0, tag, python_version(), compression)
    put_snapshot(disk, directory, about, lambda write: _write_all(write, state), place.key)
    create_segment(disk, directory, SegmentHeader(identity, 1, tag), place.key).close()
    write_manifest(disk, directory, Manifest(identity, 0, (Listed(1, tag),), (0,)), place.key)


def _write_all(write: Callable[[bytes], object], state: bytes) -> None:
    write(state)


def create_high_water(place: Place, identity: Identity) -> None:
    """An empty high-water mark; it is on stable storage when this returns."""
    write_whole(place.disk, place.directory, HIGH_WATER, UNMARKED)
    mark = HighWater(place.disk.open(place.path(HIGH_WATER)), identity.system, place.key)
    mark.write(0, b"", sync=True)
    mark.close()


def nothing_there(directory: str, what: str) -> UsageError:
    """That a directory holds no system, so that what was asked for cannot be done."""
    return UsageError(f"{directory} holds no system yet, so there is nothing to {what}.", path=directory)


# --- what lies there -------------------------------------------------------------------------------------------------


def open_archive(place: Place) -> Archive | None:
    """As `read_archive`, for whoever has the lock: a segment that a crash kept from being listed is listed, or put aside."""
    archive = read_archive(place)
    if archive is not None:
        adopt(archive)
    return archive


def read_archive(place: Place) -> Archive | None:
    """What is kept in the directory, or None if nothing is yet. Changes nothing, and needs no lock.

    Raises FormatError, CorruptionError, AuthenticationError, UsageError.
    """
    names = place.disk.entries(place.directory)
    archive = read_listed(place)
    if archive is None:
        return None
    try:
        check_listed(archive)
    except CorruptionError:
        if place.disk.entries(place.directory) == names and read_manifest(place.disk, place.directory, place.key) == archive.manifest:
            raise
        return read_archive(place)  # whoever has it open changed it meanwhile
    return archive


def read_listed(place: Place) -> Archive | None:
    """As `read_archive`, for whoever mends it: files that are listed may be missing."""
    names = place.disk.entries(place.directory)
    _refuse_foreign(place, names)
    manifest = read_manifest(place.disk, place.directory, place.key)
    if manifest is None:
        kept = [name for name in names if name.startswith(("journal-", "snapshot-")) and not name.endswith(".tmp")]
        if kept:
            what = f"MANIFEST is missing in {place.directory}, but {kept[0]} is there. Nothing was changed."
            raise CorruptionError(
                f"{what} Put it back from a backup, or rebuild it: `coopy repair --manifest {place.directory}` ({OTHERS}).",
                path=place.path("MANIFEST"),
                offset=0,
            )
        return None
    if not manifest.snapshots:
        return None
    if place.domain and not place.names.lead(manifest.identity.domain, place.domain):
        what = f"{place.directory} holds a {manifest.identity.domain}, not a {place.domain}. Nothing was changed."
        raise UsageError(
            f'{what} Open it with that class, or choose another directory. Was the class called so, mark it: @was("{manifest.identity.domain}").',
            path=place.directory,
        )
    return Archive(place.disk, place.directory, place.key, manifest, place.domain)


def _refuse_foreign(place: Place, names: list[str]) -> None:
    for name in names:
        if re.fullmatch(OLD_COOPY, name):
            what = (
                f"{place.directory} was written by coopy 0.4 to 0.7 ({name}), whose files this version does not read. Nothing was changed."
            )
            raise FormatError(
                f"{what} Open it with that version, or choose another directory.", path=place.path(name), version="0.7 or older", offset=0
            )
        if not is_own(name):
            what = f"{place.directory} holds {name!r}, which is not coopy's. Nothing was changed."
            raise UsageError(f"{what} Move it away, or choose a directory of the system's own.", path=place.path(name))


def check_listed(archive: Archive, but: str = "") -> None:
    """Every listed file must be there, `but` for this one. Raises CorruptionError for the first that is missing."""
    manifest, names = archive.manifest, {but, *archive.disk.entries(archive.directory)}
    listed = [HIGH_WATER, *(segment_name(one.first_lsn) for one in manifest.segments), *(snapshot_name(lsn) for lsn in manifest.snapshots)]
    for name in listed:
        if name not in names:
            what = f"{name} is missing in {archive.directory}, though the manifest lists it. Nothing was changed."
            raise CorruptionError(
                f"{what} Put it back from a backup, or see `coopy check` and `coopy repair`.", path=archive.path(name), offset=0
            )


# --- what it holds ---------------------------------------------------------------------------------------------------


def restore_all(restorer: Restorer, lock: Lock) -> Replayed:
    """The whole state, on a fresh thread. An action whose replay killed the process twice before is refused."""
    restorer.poison = _deadly(lock.cells)
    try:
        replayed: Replayed = Worker().run(lambda: restorer.restore(Bounds()), restorer.cancel)
    except UnreadableError as error:
        raise unreadable(restorer.archive, error) from error
    return replayed


def unreadable(archive: Archive, error: UnreadableError) -> CorruptionError:
    """The same for whoever opens it: where, what is intact, what to do."""
    path, offset = str(error.filename), error.offset
    what = f"{path} cannot be read at offset {offset}: {error.strerror}. Nothing was changed"
    ways = "Check the disk and open it again, restore the file from another copy or a backup, or see what `coopy check` and `coopy repair` offer."
    listed = next((one for one in archive.manifest.segments if archive.path(segment_name(one.first_lsn)) == path), None)
    if listed is None:
        return CorruptionError(f"{what}. {ways}", path=path, offset=offset)
    lsn = archive.intact(listed, offset)
    return CorruptionError(f"{what}, and everything up to LSN {lsn} is intact. {ways}", path=path, offset=offset, lsn=lsn + 1)


def _deadly(cells: memoryview) -> int:
    """The LSN whose replay did not end the last two times, else 0. Cells: the LSN that runs, the one that died last, how often."""
    died = cells[0]
    if died:
        cells[1], cells[2] = died, cells[2] + 1 if cells[1] == died else 1
        cells[0] = 0
    return cells[1] if cells[2] > 1 else 0


# --- go on -----------------------------------------------------------------------------------------------------------


def settle_end(archive: Archive, replayed: Replayed) -> tuple[Scan, Segment, HighWater]:
    """Judge the journal's end: a torn tail goes to quarantine, and what an unclean end leaves in doubt is persisted again.

    Gives where it ends, in which segment, and the open high-water mark.
    """
    disk, found, segment = archive.disk, replayed.found, replayed.segment
    assert found is not None
    assert segment is not None
    high_water = HighWater(disk.open(archive.path(HIGH_WATER)), archive.identity.system, archive.key)
    try:
        torn = prove_end(archive, segment, found, max(high_water.mark.lsn, archive.manifest.closed))
        if torn:
            replayed.torn = len(torn)
            name = f"{segment_name(segment.about.first_lsn)}.{found.end}"
            kept = archive.quarantine(name, torn)
            log.warning(
                "%s ended in a record that was never acknowledged (%d bytes at offset %d): they are now in %s.",
                segment.path,
                len(torn),
                found.end,
                kept,
            )
        if torn or not found.closed or archive.manifest.closed != found.head.lsn:
            with told(archive.directory, found.end):
                write_whole(disk, archive.directory, segment_name(segment.about.first_lsn), segment.data[: found.end])
    except BaseException:
        high_water.close()
        raise
    return found, segment, high_water


def open_journal(archive: Archive, replayed: Replayed, *, segment_bytes: int, mapped: bool) -> Journal:
    """The journal, open for writing where it ends, in a new epoch. Everything in it is on stable storage then."""
    found, segment, high_water = settle_end(archive, replayed)
    disk = archive.disk
    try:
        segments = tuple(replayed.checked.get(one.first_lsn, one) for one in archive.manifest.segments)
        epoch = max(archive.manifest.epoch, found.head.epoch) + 1
        code = code_from_now(archive.manifest.code, archive.source, epoch, found.head.lsn)
        archive.change(epoch=epoch, closed=NOT_CLOSED, segments=segments, identity=archive.identity_today, code=code)
        archive.opened = found
        journal = Journal(disk, archive.directory, archive.identity, archive.framer, disk.open(segment.path), found.head, high_water)
    except BaseException:
        high_water.close()
        raise
    journal.epoch, journal.epoch_before, journal.first_lsn = archive.manifest.epoch, replayed.epoch_before, segment.about.first_lsn
    journal.segment_bytes, journal.limit, journal.mapped = segment_bytes, segment_bytes, mapped
    try:
        journal.note(Kind.EPOCH, journal.epoch)
        note_outcomes(journal, archive, replayed)
        journal.flush()
        journal.sync()
        if archive.manifest.noted:
            archive.change(noted=())
        high_water.write(journal.lsn, journal.action_tag, sync=True)
    except BaseException:
        journal.release()
        raise
    return journal


def prove_end(archive: Archive, segment: Segment, found: Scan, proven: int) -> bytes:
    """The torn tail of the last segment, empty for a clean end. `proven`: an LSN known to have been on stable storage. Raises CorruptionError.

    A segment that follows and is not listed yet is one that whoever writes has just begun.
    """
    path = archive.path(segment_name(found.sealed))
    if found.sealed and not archive.disk.exists(path):
        what = (
            f"{path} is missing: the segment before it is sealed. Everything up to LSN {found.head.lsn} is intact and nothing was changed."
        )
        raise CorruptionError(f"{what} Put it back from a backup, or see `coopy repair`.", path=path, offset=0, lsn=found.sealed)
    return b"" if found.sealed else judge_end(segment.data, found, archive.framer, proven, segment.path)
