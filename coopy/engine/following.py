"""A system that follows another one's journal: what comes is checked, on stable storage here, executed, and only then acknowledged.

    take       whole frames of the primary's journal: check -> copy -> execute, in slices, so that queries come in between
    call       refused, and the error names the primary, until `lead_on` makes this a system like any other

What an action does here is the same as in a replay: the same executor, the same comparison of outcomes with the recorded ones, and where
memory is in doubt it is rebuilt from this directory. `lead` comes before `lock`, as in commit.py; taking belongs to the lead.
"""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

from coopy.disk import is_refused
from coopy.engine.archive import HIGH_WATER, Archive
from coopy.engine.confirmed import ConfirmedEngine
from coopy.engine.engine import NOTHING
from coopy.engine.execute import UnknownMethodError
from coopy.engine.gate import BROKEN, BUSY, FAILED, LEFTOVER, OPEN
from coopy.engine.opening import create_high_water, note_outcomes, settle_end
from coopy.engine.restore import Bounds
from coopy.error import DivergenceError, DurabilityError, ReplicaError, UsageError
from coopy.journal.copied import CopiedJournal, checked, eras_in, whole
from coopy.journal.frame import Kind
from coopy.journal.high_water import HighWater
from coopy.journal.journal import create_segment
from coopy.journal.segment import Head, Scan, SegmentHeader
from coopy.manifest import NOT_CLOSED, Listed, Manifest, read_manifest, write_manifest
from coopy.snapshot import open_snapshot, snapshot_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coopy.action import Outcome
    from coopy.disk import Disk
    from coopy.engine.opening import Place
    from coopy.engine.restore import Replayed, Restorer
    from coopy.header import Identity
    from coopy.journal.segment import Record
    from coopy.snapshot import SnapshotHeader

__all__ = ["FollowingEngine", "install_snapshot", "open_copied_journal", "read_through"]

log = logging.getLogger("coopy.replication")
SLICE = 256  # actions executed before a query may come in
FROM_AFAR = "the primary's journal"


class _InDoubt(BaseException):
    """Memory is in doubt after an action. No error: domain code must not catch it."""

    def __init__(self, lsn: int, outcome: Outcome | None) -> None:
        super().__init__(lsn)
        self.lsn, self.outcome = lsn, outcome


class FollowingEngine(ConfirmedEngine):
    """An engine whose actions come from elsewhere. `primary`: from where ("host:port"), empty once it was promoted.

    `eras`: since which LSN records are of which epoch, as far as this run knows; the lock guards it. `base`: the LSN of the snapshot that this
    run began with: how actions up to there ended here, nobody knows.
    """

    journal: CopiedJournal
    primary = ""
    archive: Archive
    restorer: Restorer

    def begin(self, primary: str, archive: Archive, restorer: Restorer, base: int) -> None:
        """What a follower needs beside what any engine has."""
        self.primary, self.archive, self.restorer, self.base = primary, archive, restorer, base
        self.eras = [(self.journal.lsn, self.journal.epoch)]

    # --- calls ---------------------------------------------------------------------------------------------------------

    def call(self, method: str, args: tuple[object, ...], kwargs: dict[str, object]) -> Any:
        """As Engine.call, once it was promoted. Raises ReplicaError before."""
        self.check_writable(f"{method}()")
        return super().call(method, args, kwargs)

    def call_beside(self, method: str, args: tuple[object, ...], kwargs: dict[str, object]) -> Any:
        """The same."""
        self.check_writable(f"{method}()")
        return super().call_beside(method, args, kwargs)

    def check_writable(self, what: str) -> None:
        """Raises ReplicaError while it follows."""
        if self.primary:
            raise ReplicaError(
                f"{what} changes the state, and this is a replica: nothing was recorded. Call it on the primary at {self.primary}.",
                primary=self.primary,
            )

    def keep_promise(self, result: object) -> None:
        """As Engine.keep_promise. While it follows, the primary keeps it."""
        if not self.primary:
            super().keep_promise(result)

    # --- what comes ----------------------------------------------------------------------------------------------------

    def take(self, data: bytearray) -> int:
        """Take the frames at the beginning of `data` that are complete, and remove them. Gives the last LSN that is executed and durable here.

        Raises ReplicaError (they do not follow what is here: nothing was taken), DivergenceError, DiskFullError (nothing was taken, come
        again), DurabilityError, ClosedError.
        """
        taken = True
        while taken:
            with self.lead:
                taken = bool(self.primary) and self._take(data)
        return self.executed

    def _take(self, data: bytearray) -> bool:
        stop, is_seal = whole(data, self.journal.framer)
        if not stop:
            return False
        part = bytes(data[:stop])
        is_seal = is_seal and part[2] == Kind.SEAL
        found = Scan(self.journal.head(), 0)
        actions = checked(part, self.journal.framer, found, FROM_AFAR)
        if found.problem:
            raise self._does_not_follow(found)
        self._keep(part, found, is_seal=is_seal)
        self._execute_taken(actions, found)
        del data[:stop]
        return True

    def _does_not_follow(self, found: Scan) -> ReplicaError:
        lsn = found.head.lsn
        what = f"What came from the primary at {self.primary} does not follow LSN {lsn} here: {found.problem}. Nothing of it was taken"
        return ReplicaError(f"{what}; the replica asks again.", primary=self.primary, lsn=lsn)

    def _keep(self, part: bytes, found: Scan, *, is_seal: bool) -> None:
        """On stable storage. Where it stands is told under the lock, though nobody but the lead writes it."""
        journal, epoch = self.journal, self.journal.epoch
        with self.lock:
            if self.gate is not OPEN:
                self.enter()
        try:
            if is_seal:
                journal.copy_seal(part, found.head, self.archive.enlist)
            else:
                journal.copy(part, found.head)
        except DurabilityError as error:
            with self.lock:
                if self.final is None:
                    self.end(FAILED, error)
            raise
        except OSError as error:
            if not is_refused(error):
                raise
            raise journal.not_made(error) from error
        if journal.epoch != epoch:
            with self.lock:
                self.eras += eras_in(part, epoch)

    # --- execute ---------------------------------------------------------------------------------------------------------

    def _execute_taken(self, actions: list[Record], found: Scan) -> None:
        skips, before = found.said.skipped.keys() | self.archive.manifest.skips, self.executed
        try:
            self._execute_slices(actions, skips)
            self._compare(found, before)
        except (DivergenceError, MemoryError) as error:
            with self.lock:
                if self.final is None:
                    self.end(BROKEN, error)
            raise

    def _execute_slices(self, actions: list[Record], skips: set[int]) -> None:
        for start in range(0, len(actions), SLICE):
            self._execute_slice(actions[start : start + SLICE], skips)

    def _execute_slice(self, actions: list[Record], skips: set[int]) -> None:
        """Under the lock. Whoever reads sees the state after one action or another, never half of one."""
        with self.lock:
            if self.gate is not OPEN:
                self.enter()
            self.gate = BUSY
            try:
                self._run_all(iter([one for one in actions if one[0] not in skips] if skips else actions))
                self.took(actions[-1][0])
                self.gate = self.rest()
            except BaseException:
                if self.gate is BUSY:
                    self.gate = LEFTOVER
                    self.executor.ask()
                raise

    def _run_all(self, rest: Iterator[Record]) -> None:
        while not self._replay(rest):
            pass

    def _replay(self, rest: Iterator[Record]) -> bool:
        """Run what is left. False where memory had to be rebuilt on the way: then something may be left."""
        restorer, current = self.restorer, [0]

        def raised(lsn: int, method: str, outcome: Outcome) -> None:
            self._raised(lsn, method, outcome, plain=current[0] == Kind.MSGPACK)

        def seen() -> Iterator[Record]:
            for record in rest:
                current[0] = record[3]
                yield record

        try:
            self.executor.replay(seen(), self.codec.decode, restorer.mark, raised)
        except _InDoubt as doubt:
            restorer.mark[0] = 0
            if doubt.outcome is None:
                self._rebuild(doubt.lsn)
            else:
                self._rebuild(doubt.lsn, doubt.outcome)
            return False
        restorer.mark[0] = 0
        self.executor.show_new()
        return True

    def _raised(self, lsn: int, method: str, outcome: Outcome, *, plain: bool) -> None:
        """An action did not return. It is noted, to be compared; it is undone if it is to be."""
        if isinstance(outcome.error, UnknownMethodError):
            self.restorer.diverged(lsn, method, "exist", f"is not there: {outcome.error}")
        if isinstance(outcome.error, RecursionError):
            raise _InDoubt(lsn, None)
        self.note(lsn, outcome)
        if outcome.undo and not (plain and self.executor.is_untouched(method)):
            raise _InDoubt(lsn, outcome)

    # --- compare ---------------------------------------------------------------------------------------------------------

    def _compare(self, found: Scan, before: int) -> None:
        """What the primary's records say of outcomes against what happened here. What agrees is forgotten. `before`: executed in an earlier `take`."""
        with self.lock:
            here = self.journal.noted()
            said = {lsn: (Kind.RAISED, name) for lsn, name in found.said.raised.items()}
            said |= {lsn: (Kind.SKIP, name) for lsn, name in found.said.skipped.items()}
            due = said.keys() | {lsn for lsn in here if lsn <= found.said.known}
            undone = self._compare_each(sorted(due), said, here, before)
            self.journal.forget_noted(due)
            if undone:  # the journal says so by now
                self._rebuild(self.executed, NOTHING)

    def _compare_each(self, due: list[int], said: dict[int, tuple[int, str]], here: dict[int, tuple[int, str]], before: int) -> list[int]:
        """Gives what returned here before the primary said that it was undone there: it used a proxy that this process does not have."""
        undone, newest = [], self.archive.manifest.snapshots[-1]
        for lsn in due:
            recorded, found = said.get(lsn), here.get(lsn)
            if lsn <= self.base or lsn in self.archive.manifest.skips or recorded == found:
                continue
            if recorded is None or recorded[0] != Kind.SKIP or found is not None or newest >= lsn:
                self.restorer.diverged(lsn, "the action", _ended(recorded), _ended(found))
            elif lsn <= before:  # else it was left out from the start
                undone.append(lsn)
        return undone

    # --- a snapshot instead ----------------------------------------------------------------------------------------------

    def start_over(self, about: SnapshotHeader, epoch: int, temporary: str) -> None:
        """A snapshot file that came from the primary takes the place of all that is here, which goes to quarantine. Within `exclusively`.

        It was read through. `epoch`: the primary's.
        """
        try:
            file = self.archive.replace_all(about, epoch, temporary)
            mark = HighWater(self.archive.disk.open(self.archive.path(HIGH_WATER)), self.archive.identity.system, self.archive.key)
            self.journal.begin_behind(file, mark, Head(about.lsn, about.time_us, about.epoch, about.tag, about.tag))
            self.restorer.restore(Bounds(about.lsn))
        except BaseException as error:
            self.end(BROKEN, error)
            raise
        self.executor.show_new()
        self.executed = self.base = about.lsn
        self.eras = [(about.lsn, about.epoch)]

    # --- promotion -------------------------------------------------------------------------------------------------------

    def check_following(self) -> None:
        """Raises UsageError where it does not follow any more."""
        if not self.primary:
            raise UsageError("This system was promoted already: it takes actions.")

    def lead_on(self, epoch: int) -> None:
        """From now on a system like any other: the epoch is on stable storage before the first action of its own. Within `exclusively`."""
        journal = self.journal
        self.archive.change(epoch=epoch, follows=False)
        journal.following, journal.epoch = False, epoch
        journal.controls.insert(0, (Kind.EPOCH, msgspec.msgpack.encode(epoch)))
        journal.flush()
        journal.sync()
        if self.archive.manifest.noted:
            self.archive.change(noted=())
        self.eras.append((self.executed, epoch))
        self.primary = ""


def _ended(how: tuple[int, str] | None) -> str:
    if how is None:
        return "return"
    return f"be undone ({how[1]})" if how[0] == Kind.SKIP else f"raise {how[1]}"


# --- the directory of a replica --------------------------------------------------------------------------------------


def open_copied_journal(archive: Archive, replayed: Replayed, segment_bytes: int) -> CopiedJournal:
    """As opening.open_journal, without an epoch or a record of its own."""
    found, segment, high_water = settle_end(archive, replayed)
    try:
        archive.change(closed=NOT_CLOSED, follows=True, replica=archive.manifest.replica or secrets.token_bytes(16))
        file = archive.disk.open(segment.path)
    except BaseException:
        high_water.close()
        raise
    journal = CopiedJournal(archive.disk, archive.directory, archive.identity, archive.framer, file, found.head, high_water)
    journal.following, journal.first_lsn, journal.began = True, segment.about.first_lsn, replayed.began
    journal.segment_bytes = journal.limit = segment_bytes
    note_outcomes(journal, archive, replayed)
    high_water.write(journal.lsn, journal.action_tag, sync=True)
    return journal


def read_through(disk: Disk, path: str, key: bytes, identity: Identity) -> SnapshotHeader:
    """Check every block of a snapshot file, decode none. Raises CorruptionError, AuthenticationError."""
    about, stream = open_snapshot(disk, path, key, identity)
    with stream:
        _read_all(stream)
    return about


def _read_all(stream: BinaryIO) -> None:
    while stream.read(1 << 20):
        pass


def install_snapshot(place: Place, about: SnapshotHeader, epoch: int, temporary: str) -> None:
    """Make a directory of a snapshot file that came from the primary and was read through, and of an empty segment behind it.

    Until the last step the manifest lists nothing, so that a crash leaves something to be begun again. What a replacement that was cut off
    has left goes to quarantine as well.
    """
    disk, directory, key, identity = place.disk, place.directory, place.key, about.identity
    begun = read_manifest(disk, directory, key)
    if begun is not None:
        Archive(disk, directory, key, begun).set_all_aside()
        epoch = max(epoch, begun.epoch)
    write_manifest(disk, directory, Manifest(identity, epoch, follows=True), key)
    create_high_water(place, identity)
    disk.replace(temporary, place.path(snapshot_name(about.lsn)))
    disk.sync_directory(directory)
    create_segment(disk, directory, SegmentHeader(identity, about.lsn + 1, about.tag), key).close()
    listed = Manifest(identity, epoch, (Listed(about.lsn + 1, about.tag),), (about.lsn,), follows=True)
    write_manifest(disk, directory, listed, key)
