"""A system that follows another one's journal: what comes is checked, on stable storage here, executed, and only then acknowledged.

    take       whole frames of the primary's journal: check -> copy -> execute, in slices, so that queries come in between
    call       refused, and the error names the primary, until `lead_on` makes this a system like any other

What an action does here is the same as in a replay: the same executor, the same comparison of outcomes with the recorded ones, and where
memory is in doubt it is rebuilt from this directory. `lead` comes before `lock`, as in commit.py; taking belongs to the lead.
"""

from __future__ import annotations

import secrets
from bisect import bisect_left
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import msgspec

from coopy.disk import is_refused
from coopy.engine.archive import HIGH_WATER, Archive
from coopy.engine.confirmed import ConfirmedEngine
from coopy.engine.engine import NOTHING
from coopy.engine.execute import UnknownMethodError
from coopy.engine.gate import BROKEN, BUSY, FAILED, LEFTOVER, OPEN
from coopy.engine.opening import settle_end
from coopy.engine.restore import Bounds
from coopy.engine.restored import code_from_now
from coopy.engine.unsaid import alike, due, ended, endings, note_outcomes, told
from coopy.error import CorruptionError, DivergenceError, DurabilityError, ReplicaError, UpgradeError, UsageError
from coopy.journal.copied import CopiedJournal, checked, eras_in, whole
from coopy.journal.frame import Kind
from coopy.journal.high_water import HighWater
from coopy.journal.segment import Head, Scan
from coopy.logs import logger
from coopy.manifest import NOT_CLOSED, RETURNED, Manifest, read_manifest
from coopy.snapshot import read_through

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from coopy.action import Outcome
    from coopy.disk import Disk
    from coopy.engine.commit import Entry
    from coopy.engine.opening import Place
    from coopy.engine.restore import Replayed, Restorer
    from coopy.header import Identity
    from coopy.journal.segment import Record
    from coopy.snapshot import SnapshotHeader

__all__ = ["FollowingEngine", "install_snapshot", "open_copied_journal", "read_arrived"]

log = logger("replication")
SLICE = 256  # actions executed before a query may come in
FROM_AFAR = "the primary's journal"
LSN = itemgetter(0)  # of a record


class _InDoubt(BaseException):
    """Memory is in doubt after an action. No error: domain code must not catch it."""

    def __init__(self, lsn: int, outcome: Outcome | None) -> None:
        super().__init__(lsn)
        self.lsn, self.outcome = lsn, outcome


class FollowingEngine(ConfirmedEngine):
    """An engine that follows, until it was promoted. `primary`: whom ("host:port").

    `follows` is what this run goes by. The manifest's is of the directory, for the next opening, and true once a primary has accepted it; the
    journal is silent as long as it may have no records of its own.

    `eras`: since which LSN records are of which epoch, as far as this run knows; the lock guards who changes it, and it says so before `executed`
    does, so that who reads that first needs no lock. `base`: the LSN of the snapshot that this run began with: how actions up to there ended
    here, nobody knows, but for those of which the manifest says that they `returned`.
    """

    journal: CopiedJournal
    replica = True
    primary = ""
    archive: Archive
    restorer: Restorer

    def begin(self, primary: str, archive: Archive, restorer: Restorer, base: int) -> None:
        """What a follower needs beside what any engine has."""
        self.primary, self.archive, self.restorer, self.base = primary, archive, restorer, base
        self.eras = [(self.journal.lsn, self.journal.epoch)]
        self.returned = {lsn for kind, lsn, _ in archive.manifest.noted if kind == RETURNED and lsn <= base}
        self.follows = True

    # --- calls ---------------------------------------------------------------------------------------------------------

    def call(self, method: str, args: tuple[object, ...], kwargs: dict[str, object]) -> Any:
        """As Engine.call, once it was promoted. Raises ReplicaError before."""
        self.check_writable(f"{method}()")
        return super().call(method, args, kwargs)

    def post(self, method: str, args: tuple[object, ...], kwargs: dict[str, object], listen: Callable[[Entry], Callable[[], None]]) -> None:
        """As SharedEngine.post; the same."""
        self.check_writable(f"{method}()")
        super().post(method, args, kwargs, listen)

    def call_beside(self, method: str, args: tuple[object, ...], kwargs: dict[str, object]) -> Any:
        """The same."""
        self.check_writable(f"{method}()")
        return super().call_beside(method, args, kwargs)

    def check_writable(self, what: str) -> None:
        """Raises ReplicaError while it follows."""
        if self.follows:
            raise ReplicaError(
                f"{what} changes the state, and this is a replica: nothing was recorded. Call it on the primary at {self.primary}.",
                primary=self.primary,
            )

    def accepted(self, identity: Identity, skips: tuple[int, ...]) -> None:
        """The primary is this system's: from now on the directory is a replica's, and nobody may open it as an ordinary one.

        `identity`: the primary's, where the class may have another name by now; `skips`: what it leaves out.
        """
        archive, skips = self.archive, tuple(sorted({*self.archive.manifest.skips, *skips}))
        if (archive.manifest.follows, archive.identity, archive.manifest.skips) != (True, identity, skips):
            self.exclusively(lambda: archive.change(follows=True, identity=identity, skips=skips))

    @property
    def boundary(self) -> bytes:
        """The tag of the last record that others may have: of the last action, or of the end of the segment before where this one has none.

        Behind it may be what only this directory says: that it was opened and closed, and how its last actions ended.
        """
        has_action = self.journal.lsn >= self.journal.first_lsn
        return self.journal.action_tag if has_action else self.archive.manifest.segments[-1].previous_tag

    def cut_back(self) -> None:
        """It was a primary: what only it says behind the boundary goes to quarantine, and the new primary's records follow. Within `exclusively`."""
        journal = self.journal
        journal.cut_back(self.boundary, self.archive.quarantine, lambda: self.archive.change(noted=journal.unsaid()))
        self.eras = [(journal.lsn, journal.epoch)]

    def keep_promise(self, result: object) -> None:
        """As Engine.keep_promise. While it follows, the primary keeps it."""
        if not self.follows:
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
                taken = self.follows and self._take(data)
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
        """On stable storage, also while a long query keeps the lock: the journal's files belong to the lead."""
        journal, epoch = self.journal, self.journal.epoch
        if self.final is not None or self.gate is LEFTOVER:
            with self.lock:
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
        except (DivergenceError, UpgradeError, MemoryError) as error:
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
                self._run_all([one for one in actions if one[0] not in skips] if skips else actions)
                self.took(actions[-1][0])
                self.gate = self.rest()
            except BaseException:
                if self.gate is BUSY:
                    self.gate = LEFTOVER
                    self.executor.ask()
                raise

    def _run_all(self, actions: list[Record]) -> None:
        rest = iter(actions)

        def raised(lsn: int, method: str, outcome: Outcome) -> None:
            record = actions[bisect_left(actions, lsn, key=LSN)]
            self._raised(lsn, method, outcome, plain=record[3] == Kind.MSGPACK)

        while not self._replay(rest, raised):
            pass

    def _replay(self, rest: Iterator[Record], raised: Callable[[int, str, Outcome], None]) -> bool:
        """Run what is left. False where memory had to be rebuilt on the way: then something may be left."""
        restorer = self.restorer
        try:
            self.executor.replay(rest, self.codec.decode, restorer.mark, raised)
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
        if outcome.undo and not (
            plain and method not in self.executor.old and self.executor.is_untouched(method)
        ):  # a proof is about today's method
            raise _InDoubt(lsn, outcome)

    # --- compare ---------------------------------------------------------------------------------------------------------

    def _compare(self, found: Scan, before: int) -> None:
        """What the primary's records say of outcomes against what happened here. What agrees is forgotten. `before`: executed in an earlier `take`."""
        with self.lock:
            here = self.journal.noted()
            said = endings(found.said)
            lsns = said.keys() | {lsn for lsn in here if lsn <= found.said.known}
            undone = self._compare_each(sorted(lsns), said, here, before)
            self.journal.forget_noted(lsns)
            self.journal.told = max(self.journal.told, found.said.known)
            if undone:  # the journal says so by now
                self._rebuild(self.executed, NOTHING)

    def _compare_each(self, lsns: list[int], said: dict[int, tuple[int, str]], here: dict[int, tuple[int, str]], before: int) -> list[int]:
        """Gives what returned here before the primary said that it was undone there: it used a proxy that this process does not have."""
        undone = []
        for lsn in lsns:
            recorded, found = said.get(lsn), here.get(lsn)
            unknown = lsn <= self.base and lsn not in self.returned
            if unknown or lsn in self.archive.manifest.skips or alike(self.codec.names, recorded, found):
                continue
            if recorded is None or recorded[0] != Kind.SKIP or found is not None or lsn < self.journal.first_lsn:
                self.restorer.diverged(lsn, "an action", due(recorded), ended(found))
            elif lsn <= before:  # and no snapshot was begun since; else it was left out from the start
                undone.append(lsn)
        return undone

    # --- a snapshot instead ----------------------------------------------------------------------------------------------

    def start_over(self, about: SnapshotHeader, epoch: int, temporary: str) -> None:
        """A snapshot file that was read through takes the place of all that is here, which goes to quarantine. Within `exclusively`.

        `epoch`: the primary's.
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
        self.eras = [(about.lsn, about.epoch)]
        self.before += about.lsn - self.executed
        self.executed = self.base = about.lsn

    # --- promotion -------------------------------------------------------------------------------------------------------

    def check_following(self) -> None:
        """Raises UsageError where it does not follow any more."""
        if not self.follows:
            raise UsageError("This system was promoted already: it takes actions.")

    def lead_on(self, epoch: int) -> None:
        """From now on a system like any other: the epoch is on stable storage before the first action of its own. Within `exclusively`."""
        self.check_following()  # another thread may have been faster
        journal = self.journal
        self.archive.change(epoch=epoch, follows=False, identity=self.archive.identity_today)
        journal.silent, journal.epoch = False, epoch
        journal.controls.insert(0, (Kind.EPOCH, msgspec.msgpack.encode(epoch)))
        journal.flush()
        journal.sync()
        if self.archive.manifest.noted:
            self.archive.change(noted=())
        self.eras.append((self.executed, epoch))
        self.follows = False


# --- the directory of a replica --------------------------------------------------------------------------------------


def open_copied_journal(archive: Archive, replayed: Replayed, segment_bytes: int) -> CopiedJournal:
    """As opening.open_journal, without an epoch or a record of its own."""
    found, segment, high_water = settle_end(archive, replayed)
    try:
        code = code_from_now(archive.manifest.code, archive.source, archive.manifest.epoch, found.head.lsn)
        snapshots = tuple(lsn for lsn in archive.manifest.snapshots if lsn not in replayed.unfit)
        archive.change(closed=NOT_CLOSED, code=code, snapshots=snapshots, replica=archive.manifest.replica or secrets.token_bytes(16))
        file = archive.disk.open(segment.path)
    except BaseException:
        high_water.close()
        raise
    journal = CopiedJournal(archive.disk, archive.directory, archive.identity, archive.framer, file, found.head, high_water)
    journal.told = told(archive.manifest, replayed)
    journal.silent, journal.first_lsn, journal.epoch_before = True, segment.about.first_lsn, replayed.epoch_before
    journal.segment_bytes = journal.limit = segment_bytes
    note_outcomes(journal, archive, replayed)
    high_water.write(journal.lsn, journal.action_tag, sync=True)
    return journal


def read_arrived(disk: Disk, path: str, key: bytes, identity: Identity) -> SnapshotHeader:
    """Check every block of a snapshot file that came from elsewhere, decode none. Raises CorruptionError, AuthenticationError."""
    about, _ = read_through(disk, path, key, identity)
    if (about.identity.system, about.identity.secret) != (identity.system, identity.secret):
        raise CorruptionError(f"{path} is not of the system that was announced.", path=path, offset=0)
    return about


def install_snapshot(place: Place, about: SnapshotHeader, epoch: int, skips: tuple[int, ...], temporary: str) -> None:
    """Make a replica's directory of a snapshot file that was read through, and of an empty segment behind it. `epoch`, `skips`: the primary's.

    What a replacement that was cut off has left is set aside, as that would have done, and the newest epoch that was known stays so.
    """
    begun = read_manifest(place.disk, place.directory, place.key)
    manifest = Manifest(about.identity, epoch, skips=skips, follows=True)
    if begun is not None and begun.identity.system == about.identity.system:
        manifest = msgspec.structs.replace(manifest, epoch=max(epoch, begun.epoch), replica=begun.replica)
    Archive(place.disk, place.directory, place.key, manifest, place.domain).replace_all(about, epoch, temporary).close()
