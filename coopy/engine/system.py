"""A running system as a whole: engine, archive, lock and timers, and what can be asked of it beside calls.

It is also the engine's memory: how the state is made anew, and how the journal goes on in a new segment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from coopy.clock import follow, forget
from coopy.digest import digest
from coopy.disk import after_fork_in_child
from coopy.engine.archive import Archive
from coopy.engine.background import Timer
from coopy.engine.gate import CLOSED, FAILED, FORKED, IN_CHILD, OPEN, SHARED, TORN
from coopy.engine.history import History
from coopy.engine.opening import Place, told
from coopy.engine.prune import put_aside, unlink_aside
from coopy.engine.restore import Bounds, Restorer
from coopy.engine.sealed import SealedSegments
from coopy.engine.snapshots import Snapshots
from coopy.engine.stats import NodeStats, PrimaryStats, ReplicaStats, Role, Stats, stats_of
from coopy.error import (
    ClosedError,
    ClusterError,
    CoopyError,
    DiskFullError,
    DivergenceError,
    DurabilityError,
    ReplicaError,
)
from coopy.journal.frame import Kind
from coopy.journal.segment import Outcomes, Taken
from coopy.logs import logger

if TYPE_CHECKING:
    from coopy.action import Outcome
    from coopy.disk import Lock
    from coopy.engine.engine import Engine
    from coopy.engine.restored import Restored
    from coopy.manifest import Listed

Initial = Callable[[object], bytes]

__all__ = ["Origin", "Peers", "Settings", "System"]

log = logger()


class Settings(msgspec.Struct, frozen=True):
    """How a system runs. Times in seconds, sizes in bytes."""

    durability: Literal["sync", "buffered"] = "sync"
    sync_interval: float = 1.0
    snapshot_time: float = 0
    keep_snapshots: int = 2
    auto_prune: bool = False
    segment_bytes: int = 64 << 20
    compression: str = ""
    allow: tuple[str, ...] = ()
    on_divergence: str = "stop"
    on_progress: Callable[[int, int], object] | None = None
    free: dict[str, dict[str, str]] = {}  # as Executor says
    source: dict[str, bytes] = {}  # as fingerprint() says
    confirmed: bool = False  # whether calls wait until others have them, too


class Peers(Protocol):
    """Those who follow this system, or whom it follows: they end with it."""

    def stop(self) -> None:
        """End what goes on with them, promptly. May be repeated."""

    def stats(self) -> PrimaryStats | ReplicaStats | NodeStats:
        """Numbers about them."""


class Origin(msgspec.Struct, frozen=True):
    """Where the actions of a replica or of a node come from. `fetch(place, initial)` fills an empty directory with what is there.

    `primary`: a replica's, "host:port". `stream`: the name of a node's shared journal. If nobody has begun it, it begins with what `initial(beside)`
    gives: the initial state as a snapshot holds it, with this beside the domain object. `left_behind(system, last)`: whether what follows on the last message
    that a node took cannot be had any more, so that it needs another state.
    """

    fetch: Callable[[Place, Initial], None]
    primary: str = ""
    stream: str = ""
    left_behind: Callable[[bytes, Taken], bool] | None = None


class System:
    """One open directory and its domain object. `restored`: what its opening found."""

    restored: Restored

    def __init__(self, archive: Archive, restorer: Restorer, engine: Engine, lock: Lock, settings: Settings) -> None:
        self.archive, self.restorer, self.engine, self.settings = archive, restorer, engine, settings
        self.snapshots = Snapshots(archive, engine, restorer, settings, self)
        self.peers: Peers | None = None
        self.opened = datetime.now(UTC)
        self._lock = lock
        self._sealed = SealedSegments(archive)
        self._mark_stays = False
        self._timers = [Timer("sync", settings.sync_interval, self._turn)]
        if settings.snapshot_time:
            self._timers.append(Timer("snapshot", settings.snapshot_time, self.snapshots.begin))
        after_fork_in_child(self._forked)
        follow(engine.executor.moment)

    @property
    def root(self) -> object:
        """The domain object. Never handed out."""
        return self.engine.executor.root

    # --- what can be asked of it -------------------------------------------------------------------------------------

    def prune(self) -> list[str]:
        """Drop the segments that no kept snapshot needs. Gives the names of the files that went."""
        with told(self.archive.directory, done="pruned", again="prune it again"):
            gone: list[str] = self.engine.exclusively(self._prune)
            unlink_aside(self.archive, gone)
        log.info("%s: pruned, %d files are gone.", self.archive.directory, len(gone))
        return gone

    def _prune(self) -> list[str]:
        self.stay()
        archive = self.archive
        needed = archive.from_snapshot(archive.manifest.snapshots[0])
        if len(needed) < len(archive.manifest.segments):
            archive.change(segments=needed)
        return put_aside(archive)

    @contextmanager
    def held(self) -> Iterator[None]:
        """As long as this lasts, no snapshot goes that is there now, nor what is behind it: somebody reads them."""
        if self.engine.final is not None:  # nothing goes any more
            yield
            return
        took: list[int] = []  # said by whoever takes it: an interrupt of this thread is raised after that
        try:
            self.engine.exclusively(lambda: self._hold(took))
            yield
        finally:
            for first in took:
                self.snapshots.held.remove(first)

    def _hold(self, took: list[int]) -> None:
        first = self.archive.manifest.snapshots[0]
        self.snapshots.held.append(first)
        took.append(first)

    def digest(self) -> str:
        """The digest of the state, equal for equal states in any process. The journal keeps it, where it is this system's to write."""
        if not self._writes():
            text: str = self.engine.read(digest, self.root)
            return text
        recorded: str = self.engine.exclusively(self._record_digest)
        return recorded

    def vouch(self, lsn: int, found: str) -> None:
        """Keep a digest of the state after an action, as replays gave it."""
        if self._writes():
            self.engine.exclusively(lambda: self.engine.journal.note(Kind.CHECKPOINT, (lsn, found)))

    def _record_digest(self) -> str:
        found = digest(self.root)
        self.engine.journal.note(Kind.CHECKPOINT, (self.engine.journal.lsn, found))
        return found

    def _writes(self) -> bool:
        """Whether records of its own go into its journal."""
        return self.engine.final is None and not self.engine.follows

    def wait_durable(self) -> int:
        """Return when all calls so far are on stable storage. Gives the LSN up to which they are."""
        with self.engine.lock:
            lsn = self.engine.executed
        while self.engine.journal.durable < lsn:
            self.sync()
            if self.engine.final is not None and self.engine.journal.durable < lsn:
                raise self.engine.refusal()
        return self.engine.journal.durable

    @property
    def role(self) -> Role:
        """What it is among others."""
        if self.peers is None:
            return "alone"
        if self.engine.ordered:
            return "node"
        return "replica" if self.engine.follows else "primary"

    def stats(self) -> Stats:
        """The system in numbers. Waits for nobody."""
        return stats_of(self)

    def history(self) -> History:
        """What was up to now. It is read without the lock."""
        found: History = self.engine.read(self._history)
        return found

    def _history(self) -> History:
        archive, journal, last = self.archive, self.engine.journal, self.engine.executed
        said = Outcomes(journal.unwritten(Kind.RAISED), journal.unwritten(Kind.SKIP), known=min(journal.known, last))
        return History(Archive(archive.disk, archive.directory, archive.key, archive.manifest), self.engine.codec, last, said)

    def fence(self, error: ReplicaError, epoch: int) -> None:
        """No more actions, for good: another system leads, in this epoch. Queries go on. The directory is a replica's from now on."""
        try:
            self.engine.exclusively(lambda: self._fence(error, epoch))
        except (ClosedError, ReplicaError):  # it takes none already
            return
        except OSError as problem:
            log.warning(
                "%s is fenced, but could not say so in its manifest (%s): do not open it as a primary.", self.archive.directory, problem
            )

    def _fence(self, error: ReplicaError, epoch: int) -> None:
        self.engine.end(FAILED, error)
        self.archive.change(follows=True, epoch=epoch)

    def close(self) -> None:
        """Finish what runs, say in the journal and in the manifest that this is its end, sync, unlock. Again: nothing."""
        engine = self.engine
        if engine.final is CLOSED or engine.final in IN_CHILD:
            return
        engine.refuse_inside("close()")  # before the peers are: their threads may wait for what this thread holds
        if self.peers is not None:
            self.peers.stop()
        try:
            self.snapshots.stop()
            self._close()
            self.snapshots.stop()  # one that was begun at the same moment
        finally:
            if engine.final is None:
                self.snapshots.go_on()
        for timer in self._timers:
            timer.wait()
        self._sealed.wait()

    def _close(self) -> None:
        engine = self.engine
        try:
            engine.exclusively(self._finish)
        except (ClosedError, ClusterError, DivergenceError, ReplicaError):  # it closed itself before, or another thread was faster
            with engine.lock:
                if engine.final is None:
                    raise
                if engine.final is not CLOSED:
                    self._release()
        except DurabilityError as error:
            with engine.lock:
                if engine.final is not None:
                    raise
                self._give_up(error)

    # --- how ---------------------------------------------------------------------------------------------------------

    def _turn(self) -> None:
        """What is due now and then."""
        self.sync()
        self._sealed.begin()

    def sync(self) -> None:
        """Force to stable storage what is only written, beside the calls that go on; raise the high-water mark without waiting."""
        engine, journal = self.engine, self.engine.journal
        with engine.lock:
            engine.finish_leftover()
            if engine.final is not None or journal.batch is not None:
                return
            file, lsn, tag = journal.file, journal.lsn, journal.action_tag
        try:
            synced = journal.durable >= lsn or journal.sync_beside(file)
        except DurabilityError as error:
            with engine.lock:
                engine.fail(error)
            raise
        with engine.lock:
            if synced and engine.final is None:
                journal.durable = max(journal.durable, lsn)
                self._raise_mark(lsn, tag)

    def _raise_mark(self, lsn: int, tag: bytes) -> None:
        """Say in the files, too, what is on stable storage. Left where it is, the mark is never wrong."""
        try:
            self.engine.journal.high_water.write(lsn, tag, sync=False)
        except OSError as error:
            if not self._mark_stays:
                log.warning("The high-water mark of %s could not be raised (%s): everything else goes on.", self.archive.directory, error)
            self._mark_stays = True
        else:
            self._mark_stays = False

    def _finish(self) -> None:
        journal = self.engine.journal
        try:
            journal.close()
            self.stay()
            self.archive.change(closed=journal.lsn, segments=self._checked())
            log.info("%s: closed at LSN %d.", self.archive.directory, journal.lsn)
            self._vouch_for_rest()
        except (DiskFullError, OSError) as error:
            if journal.durable < journal.lsn:
                journal.sync()
            log.warning(
                "%s was closed without saying so in its files (%s): everything is there, the next opening checks it.",
                self.archive.directory,
                error,
            )
        except DurabilityError as error:
            if journal.failure is not None:
                raise
            log.warning("%s", error)
        finally:
            self._release()

    def _checked(self) -> tuple[Listed, ...]:
        """What was written, read again and checked, so that the next opening need not. What cannot be read now is checked then."""
        try:
            return self.archive.check_last()
        except (CoopyError, OSError, MemoryError) as error:
            log.warning("%s was not read again when it was closed: %s", self.archive.directory, error)
            return self.archive.manifest.segments

    def _vouch_for_rest(self) -> None:
        """The same of the segments before, as far as there is time. Should this be cut off, the system is closed all the same."""
        self._sealed.stop()
        self._sealed.read_rest()
        try:
            if not self.archive.is_vouched:
                self.archive.change()
        except OSError as error:
            log.warning("%s was closed; that its segments were read again could not be written down: %s", self.archive.directory, error)

    def _give_up(self, error: DurabilityError) -> None:
        """Close while memory is in doubt and cannot be made anew: nobody needs it any more, and what was written is made durable."""
        journal = self.engine.journal
        try:
            if journal.durable < journal.lsn:
                journal.sync()
        finally:
            self._release()
        log.warning("%s was closed without saying so in its files: %s", self.archive.directory, error)

    def stay(self) -> None:
        """What is written by name must go where the lock is. Raises DurabilityError if that is another directory by now, or none."""
        if not self._lock.holds(self.archive.directory):
            what = f"{self.archive.directory} was moved, replaced or deleted while its system was open. Its journal goes on where it is"
            raise DurabilityError(
                f"{what}, nothing was written to what has its name now. Close it, and put it back.", path=self.archive.directory
            )

    def _release(self) -> None:
        for timer in self._timers:
            timer.stop()
        self._sealed.stop()
        self.engine.journal.release()
        self._lock.release()
        self.engine.end(CLOSED)
        forget(self.engine.executor.moment)

    def _forked(self) -> None:
        """In a forked child: it may read if nothing was under way; it holds no lock of the parent's, and no way to the parent's files."""
        engine = self.engine
        whole = engine.gate is OPEN or engine.gate is SHARED
        engine.after_fork()
        engine.beside.clear()  # whoever ran them was not forked
        engine.shut(FORKED if whole else TORN)
        engine.journal.abandon()

    # --- memory ------------------------------------------------------------------------------------------------------

    def rebuild(self, last: int, *, run_last: bool) -> tuple[object, dict[int, Outcome]]:
        """As engine.Memory says."""
        journal = self.engine.journal
        skips = journal.unwritten(Kind.SKIP)
        raised = journal.unwritten(Kind.RAISED)
        replayed = self.restorer.restore(Bounds(last, frozenset(skips), raised, min(journal.known, last), run_last))
        return replayed.result, replayed.outcomes

    def rotate(self) -> None:
        """As engine.Memory says."""
        self.stay()
        self.engine.journal.rotate(self.archive.enlist)
