"""Snapshot + replay gives the state again: when a directory is opened, and when memory is in doubt.

    load      the newest snapshot that is whole and fits the journal, else the one before, loudly
    replay    every later action, in order, each tag and LSN checked before, each outcome compared with the recorded one after

Bytes that were checked another day, as their digest in the manifest says, need not be checked record by record again.

A segment at a time (replaying.py). Where a restore learns on its way what it had to know from the start, it starts over.

An action to be undone (it raised under `@abort_exception`, or used a proxy) whose SKIP a crash lost is met here again: the restore
starts over without it. Runs on a fresh thread, the garbage collector off.
"""

from __future__ import annotations

import gc
from itertools import zip_longest
from typing import TYPE_CHECKING

import msgspec

from coopy.action import Outcome
from coopy.disk import UnreadableError
from coopy.engine.archive import Archive, Segment, snapshot_path
from coopy.engine.once import Keys
from coopy.engine.replaying import Again, Attempt, Learned, Run
from coopy.engine.telling import Telling
from coopy.engine.unsaid import contradicted, due, ended, endings, undone_since
from coopy.error import CoopyError, CorruptionError, DivergenceError, FormatError, UpgradeError
from coopy.journal.frame import Kind
from coopy.journal.segment import Head, Outcomes, Scan, is_sealed
from coopy.logs import logger
from coopy.manifest import Listed
from coopy.snapshot import SnapshotHeader, open_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from coopy.clock import Moment
    from coopy.codec import Codec
    from coopy.engine.execute import Executor

__all__ = ["Bounds", "Replayed", "Restorer", "check_sealed"]

log = logger("restore")


class Bounds(msgspec.Struct, frozen=True):
    """How far to go, and from where. `last`: the LSN to stop after (None: all there is); `skips`: what not to run; `raised`: outcomes not in the files.

    `known`: up to where outcomes are known at least; `run_last`: the last one counts as new; `base`: the snapshot to begin with (None: the newest
    that is not beyond `last`); `after`: what is in the state already, where `Restorer.instead` gives one; `marks`: the LSNs after which
    `Restorer.visit` is called, in order.
    """

    last: int | None = None
    skips: frozenset[int] = frozenset()
    raised: dict[int, str] = {}
    known: int = 0
    run_last: bool = False
    base: int | None = None
    after: int = 0
    marks: tuple[int, ...] = ()


class Replayed(msgspec.Struct):
    """What came out: how the journal ended, the last segment and its scan, new outcomes, and how the last action ended if it was to run anew.

    `epoch_before`: of the last record before the last segment; `checked`: by first LSN the segments, with what was found good in them. `said`: what
    the journal says of how actions ended; `torn`: bytes behind the end that were put aside, once they were. `unfit`: snapshots that were passed over
    because they hold what was undone since.
    """

    base: SnapshotHeader
    found: Scan | None = None
    segment: Segment | None = None
    outcomes: dict[int, Outcome] = {}
    result: object = None
    epoch_before: int = 0
    checked: dict[int, Listed] = {}
    torn: int = 0
    said: Outcomes = msgspec.field(default_factory=Outcomes)
    unfit: frozenset[int] = frozenset()


class _Cancelled(BaseException):
    """Nobody waits for the end any more."""


class Restorer:
    """Makes the state of one archive. `executor` appears with the first load; `adopt(root, moment)` completes a loaded domain object.

    `visit(lsn, root)` sees the state at each of `Bounds.marks` from the base on, on the replaying thread; a restore that starts over shows it again.
    `instead`: a file with a state that takes the place of the snapshot's.
    """

    def __init__(self, archive: Archive, codec: Codec, mark: memoryview, create: Callable[[object], Executor], on_divergence: str) -> None:
        self.archive, self.codec, self.mark, self._create, self.on_divergence = archive, codec, mark, create, on_divergence
        self.executor: Executor | None = None
        self.adopt: Callable[[object, Moment], None] = lambda _root, _moment: None
        self.on_progress: Callable[[int, int], object] | None = None
        self.visit: Callable[[int, object], object] = lambda _lsn, _root: None
        self.instead: Path | None = None
        self.marks: list[int] = []  # what is still to be visited; the next is the last
        self.poison = self.last_lsn = 0
        self.divergences = 0
        self.passed_over: list[str] = []
        self._cancelled = False

    def cancel(self) -> None:
        """Leave off before the next segment. Another thread may call it."""
        self._cancelled = True

    def restore(self, bounds: Bounds) -> Replayed:
        """Load and replay. Raises CorruptionError, DivergenceError, FormatError."""
        learned = Learned({}, {bounds.last} if bounds.run_last and bounds.last is not None else set(), {})
        collecting = gc.isenabled()
        gc.disable()
        try:
            with Telling(self.archive, self.mark, bounds.last or 0) as telling:
                replayed = self._restored(bounds, learned, telling)
            if bounds.last in learned.undone:
                replayed.result = learned.undone[bounds.last]
            return replayed
        finally:
            self.mark[0] = 0
            if collecting:
                gc.enable()

    def _restored(self, bounds: Bounds, learned: Learned, telling: Telling) -> Replayed:
        while True:
            base, executor = self._load(bounds, learned)
            telling.replaying(base.lsn)
            try:
                replayed = self._replay(executor, base, bounds, learned)
            except Again:
                continue
            except MemoryError as error:
                raise self.too_large(self.mark[0]) from error
            except (CorruptionError, UpgradeError) as error:
                lsn = self.mark[0]
                if not lsn:
                    raise
                raise unfit(error, f"The record of LSN {lsn}", self.archive.directory, lsn) from error
            assert replayed.found is not None
            last = replayed.found.head.lsn
            telling.ended(last if bounds.last is None else min(bounds.last, last))
            return replayed

    # --- load --------------------------------------------------------------------------------------------------------

    def _load(self, bounds: Bounds, learned: Learned) -> tuple[SnapshotHeader, Executor]:
        damage: CorruptionError | UnreadableError | None = None
        self.passed_over = []
        for lsn in reversed(self.archive.manifest.snapshots):
            if lsn != bounds.base if bounds.base is not None else bounds.last is not None and lsn > bounds.last:
                continue
            try:
                if lsn in learned.unfit:
                    raise learned.unfit[lsn]
                return self._load_one(lsn)
            except FormatError:
                raise  # not damage: a newer coopy wrote it
            except (CorruptionError, UnreadableError) as error:
                log.warning("%s The snapshot before it is tried.", error)
                self.passed_over.append(str(error))
                damage = damage or error
        assert damage is not None
        if isinstance(damage, UnreadableError):
            raise damage
        if bounds.base is not None:
            what = f"{damage} Nothing was changed. An opening takes another snapshot, where there is one."
            raise CorruptionError(f"{what} Put the file back from a backup, or see `coopy check`.", **vars(damage)) from damage
        what = f"No snapshot in {self.archive.directory} can be read. The newest: {damage} Nothing was changed."
        raise CorruptionError(f"{what} Are files damaged, restore the directory from a backup.", **vars(damage)) from damage

    def _load_one(self, lsn: int) -> tuple[SnapshotHeader, Executor]:
        path = snapshot_path(self.archive, lsn)
        about, stream = open_snapshot(self.archive.disk, path, self.archive.key, self.archive.identity)
        with stream:
            follow = self.archive.from_snapshot(lsn)
            if about.lsn != lsn or not follow or follow[0].previous_tag != about.tag:
                raise CorruptionError(f"{path} is a snapshot of another history.", path=path, offset=0, lsn=lsn)
            known = self.executor.root if self.executor else None
            try:
                root, beside = self._load_instead(known) if self.instead else self.codec.load_state(stream, known)
            except (CorruptionError, UpgradeError) as error:
                raise unfit(error, path, path) from error
        keys = Keys(self.codec)
        keys.fill(beside)
        if self.executor is None:
            self.executor = self._create(root)
        self.executor.keys = keys
        self.adopt(root, self.executor.moment)
        return about, self.executor

    def _load_instead(self, known: object) -> tuple[object, object]:
        assert self.instead is not None
        with self.instead.open("rb") as stream:
            return self.codec.load_state(stream, known)

    # --- replay ------------------------------------------------------------------------------------------------------

    def _replay(self, executor: Executor, base: SnapshotHeader, bounds: Bounds, learned: Learned) -> Replayed:
        replayed = Replayed(base, outcomes={}, said=Outcomes(), unfit=frozenset(learned.unfit))
        attempt = Attempt(self, executor, bounds, learned)
        head = Head(base.lsn, base.time_us, base.epoch, base.tag, b"")
        executor.moment.time_us = base.time_us
        executor.moment.generator = None  # an action that drew before draws the same again
        listed = self.archive.from_snapshot(base.lsn)
        self.marks = [lsn for lsn in reversed(bounds.marks) if lsn >= max(base.lsn, bounds.after)]
        if self.on_progress is not None:
            _, self.last_lsn = self.archive.foretell(self.archive.segment(listed[-1]))
        for one, following in zip_longest(listed, listed[1:]):
            if self._cancelled:
                raise _Cancelled
            segment = self.archive.segment(one)
            self.archive.check_order(segment, head)
            replayed.epoch_before = head.epoch
            later = self._said_later(segment, listed[listed.index(one) + 1 :])
            run = Run(attempt, segment, Scan(head, segment.start, self.archive.known(one, segment)), later)
            found = run.replay()
            if following is not None:
                check_sealed(segment, found, following)
            run.report(replayed)
            if bounds.last is None:
                replayed.checked[one.first_lsn] = self.archive.checked(one, segment, found)
            replayed.said.raised.update(found.said.raised)
            replayed.said.skipped.update(found.said.skipped)
            replayed.said.known = max(replayed.said.known, found.said.known)
            if executor.keys.progress is not None:
                executor.keys.progress.take_all(found.said.taken)
            head, replayed.found, replayed.segment = found.head, found, segment
            if bounds.last is not None and head.lsn >= bounds.last:
                break
        if self.on_progress is not None:
            self.on_progress(self.last_lsn, self.last_lsn)
        self._check_base(base, replayed.said, learned)
        said = endings(replayed.said)
        replayed.outcomes = {lsn: one for lsn, one in {**replayed.outcomes, **learned.undone}.items() if lsn not in said}
        return replayed

    def _check_base(self, base: SnapshotHeader, said: Outcomes, learned: Learned) -> None:
        """A replica's snapshot may hold actions of which its primary said only then how they ended."""
        for lsn, recorded, found in contradicted(self.archive.manifest, self.codec.names, base.lsn, said):
            if found is not None or recorded is None or recorded[0] != Kind.SKIP:
                self.diverged(lsn, "an action", due(recorded), ended(found))
            else:
                learned.unfit[base.lsn] = undone_since(snapshot_path(self.archive, base.lsn), base.lsn, lsn)
                raise Again

    def _said_later(self, segment: Segment, behind: tuple[Listed, ...]) -> Outcomes:
        """How actions of a segment ended, as segments behind it say: those that a replica began for a snapshot, when not all was known yet."""
        later = Outcomes()
        for one in behind:
            if is_sealed(segment.data):
                break
            segment = self.archive.segment(one)
            said, _ = self.archive.foretell(segment)
            later.raised.update(said.raised)
            later.skipped.update(said.skipped)
            later.known = max(later.known, said.known)
        return later

    def diverged(self, lsn: int, method: str, expected: str, got: str) -> None:
        """Stop, or warn if that was asked for."""
        who = method if " " in method else f"{method}()"
        but = got.rstrip(". :")  # an exception's own words are at its end, or none
        what = f"Replay differs from the recorded run at LSN {lsn}: {who} was expected to {expected}, but it {but}. Nothing was changed."
        error = DivergenceError(
            f"{what} Open the directory with the code that wrote it, take a snapshot, then go on with the new code; on_divergence='warn' goes on regardless.",
            lsn=lsn, method=method, expected=expected, got=got,
        )  # fmt: skip
        if self.on_divergence == "stop":
            raise error
        self.divergences += 1
        log.warning("%s", error)

    def too_large(self, lsn: int) -> Exception:
        """There is no memory for an action, as perhaps there was none the first time; or, where none runs yet, for what is read of the files."""
        if not lsn:
            return MemoryError(
                f"There is no memory to read the journal in {self.archive.directory}. No file was changed. Give the process more."
            )
        what = f"Replaying LSN {lsn} ran out of memory. No file was changed, and nothing is lost: give the process more memory, and open it again."
        return DivergenceError(
            f"{what} Only where no memory would do for this action is it to be left out, for good: `coopy repair --skip {lsn}`.",
            lsn=lsn,
            method="",
            expected="return or raise",
            got="ran out of memory",
        )

    def refuse_poison(self, lsn: int, method: str) -> None:
        """An action whose replay killed the process twice is not tried a third time."""
        what = f"Replaying LSN {lsn} ({method}) ended the process twice, so it is not tried again. Nothing was changed."
        raise DivergenceError(
            f"{what} Find out why; `coopy repair --skip {lsn}` leaves that action out.", lsn=lsn, method=method, expected="return or raise", got="ended the process",
        )  # fmt: skip


def check_sealed(segment: Segment, found: Scan, following: Listed) -> None:
    """Only the last segment may end otherwise than by a SEAL, or, where a replica took a snapshot, exactly where the next one begins."""
    ended = found.sealed or (found.head.lsn + 1, found.head.tag) == (following.first_lsn, following.previous_tag)
    if not ended or (found.end != len(segment.data.rstrip(b"\0")) and segment.data[found.end :].strip(b"\0")):
        why = found.problem or "it does not end with a SEAL"
        what = f"{segment.path} is damaged at offset {found.end} (LSN {found.head.lsn + 1}): {why}. Everything before is intact and nothing was changed."
        raise CorruptionError(
            f"{what} Restore the file from another copy or a backup, or see `coopy check`.",
            path=segment.path,
            offset=found.end,
            lsn=found.head.lsn + 1,
        )


def unfit(error: CorruptionError | UpgradeError, where: str, path: str, lsn: int = 0) -> CoopyError:
    """Of something stored that today's classes do not take, or that is not let through: which that is, and what to do. What names its bytes already stays."""
    if isinstance(error, UpgradeError):
        return UpgradeError(f"{where}: {error}", **{**vars(error), "lsn": lsn})
    if vars(error):
        return error
    ways = (
        'Was a class changed since, open it with the code of then, or say what became of it by @was or @upgrade ("Changing your classes")'
    )
    return CorruptionError(f"{where}: {error} {ways}; else see `coopy check`.", path=path, offset=0, lsn=lsn)
