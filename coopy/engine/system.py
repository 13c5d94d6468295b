"""A running system as a whole: engine, archive, lock and timers, and what can be asked of it beside calls.

It is also the engine's memory: how the state is made anew, and how the journal goes on in a new segment.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from coopy.clock import follow, forget
from coopy.codec import ENDLESS, Codec, why
from coopy.digest import digest
from coopy.disk import after_fork_in_child
from coopy.engine.archive import Archive
from coopy.engine.background import Timer
from coopy.engine.commit import SharedEngine
from coopy.engine.common import common_names
from coopy.engine.confirmed import ConfirmedEngine
from coopy.engine.engine import Engine
from coopy.engine.execute import Executor
from coopy.engine.following import FollowingEngine, open_copied_journal
from coopy.engine.gate import BROKEN, CLOSED, FAILED, FORKED, OPEN, SHARED
from coopy.engine.history import History
from coopy.engine.opening import Place, create, open_archive, open_journal, restore_all, told
from coopy.engine.ordered import OrderedEngine
from coopy.engine.prune import put_aside, sweep, unlink_aside
from coopy.engine.restore import Bounds, Replayed, Restorer
from coopy.engine.restored import Restored, restored
from coopy.engine.sealed import SealedSegments
from coopy.engine.snapshots import Snapshots
from coopy.engine.stats import NodeStats, PrimaryStats, ReplicaStats, Role, Stats, stats_of
from coopy.error import (
    ClosedError,
    ClusterError,
    CoopyError,
    CorruptionError,
    DiskFullError,
    DivergenceError,
    DurabilityError,
    NotSerializableError,
    ReplicaError,
    UsageError,
)
from coopy.journal.frame import Kind
from coopy.journal.segment import Outcomes, Taken
from coopy.logs import logger
from coopy.manifest import NAME as MANIFEST
from coopy.manifest import read_manifest

if TYPE_CHECKING:
    from coopy.action import Outcome
    from coopy.clock import Moment
    from coopy.disk import Lock
    from coopy.manifest import Listed

Initial = Callable[[object], bytes]

__all__ = ["Origin", "Peers", "Settings", "System", "open_system"]

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
        if isinstance(self.engine, OrderedEngine):
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
        if engine.final is CLOSED or engine.final is FORKED:
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
                if engine.final is None:
                    engine.end(FAILED, error)
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
        engine.shut(FORKED if whole else BROKEN, ClosedError("this process was forked while a call ran."))
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


def open_system(  # noqa: PLR0913 - what it is opened with, and who hears of it
    place: Place,
    initial: Callable[[], object],
    adopt: Callable[[object, Moment], None],
    packages: tuple[str, ...],
    settings: Settings,
    origin: Origin | None = None,
    made: list[System] | None = None,
) -> System:
    """Open the system in a directory, or create it with the state that `initial()` gives. `adopt(root, moment)` completes a loaded domain object.

    With an `origin` it is a replica, whose engine follows, or a node: its state comes from there. `initial` is called where nothing has begun yet.
    `made` has the system as soon as it runs: whoever is interrupted before it has the result closes what is there.

    Raises what is wrong with the directory, the state or the settings; then nothing is locked and nothing was changed.
    """
    codec, disk = Codec(packages, settings.allow, place.names), place.disk
    with told(place.directory):
        begun = disk.exists(place.path(MANIFEST))
    state = None if begun or origin is not None else _dump(codec, initial)
    with ExitStack() as undo:
        with told(place.directory):
            if not disk.exists(place.directory):
                disk.make_directories(place.directory)
            disk.check_directory(place.directory)
            lock = disk.lock(place.directory)
            undo.callback(lock.release)
            archive = open_archive(place)
        if archive is None and origin is not None:
            archive = _fetched(place, codec, initial, origin)
        elif archive is None:
            _refuse_half_replaced(place)
            state = state or _dump(codec, initial)
            with told(place.directory):
                create(place, state, settings.compression)
                archive = open_archive(place)
        assert archive is not None
        _check_whose(archive, origin)
        restorer, replayed, found = _restored(archive, codec, lock, place, settings, adopt)
        if origin is not None and _is_left_behind(restorer, origin):
            archive = _fetched(place, codec, initial, origin)
            restorer, replayed, found = _restored(archive, codec, lock, place, settings, adopt)
            log.warning(
                "%s: what it held is in quarantine/, for what follows on it is gone. It goes on with a snapshot of others'.",
                place.directory,
            )
        sweep(archive)
        engine = _make_engine(archive, restorer, replayed, settings, origin)
        undo.callback(engine.journal.release)
        system = System(archive, restorer, engine, lock, settings)
        system.restored = msgspec.structs.replace(found, torn=replayed.torn)
        engine.memory, engine.common, engine.name = system, common_names(engine), place.directory
        if made is not None:
            made.append(system)
        undo.pop_all()
        log.info("%s: %s", place.directory, system.restored)
    return system


def _fetched(place: Place, codec: Codec, initial: Callable[[], object], origin: Origin) -> Archive:
    """The directory with a state from elsewhere."""
    with told(place.directory):
        origin.fetch(place, lambda beside: _dump(codec, initial, beside))
        archive = open_archive(place)
    assert archive is not None
    return archive


def _restorer(archive: Archive, codec: Codec, lock: Lock, place: Place, settings: Settings) -> Restorer:
    secret, old = archive.identity.secret, place.names.methods
    restorer = Restorer(archive, codec, lock.cells, lambda root: Executor(root, secret, settings.free, old), settings.on_divergence)
    restorer.on_progress = settings.on_progress
    return restorer


def _restored(
    archive: Archive, codec: Codec, lock: Lock, place: Place, settings: Settings, adopt: Callable[[object, Moment], None]
) -> tuple[Restorer, Replayed, Restored]:
    archive.source = settings.source
    restorer = _restorer(archive, codec, lock, place, settings)
    restorer.adopt = adopt
    begun = time.monotonic()
    replayed = restore_all(restorer, lock)
    restorer.on_progress = None
    return restorer, replayed, restored(archive, restorer, replayed, time.monotonic() - begun)


def _is_left_behind(restorer: Restorer, origin: Origin) -> bool:
    """Whether a node's directory needs another state: what follows on its own is gone."""
    progress = restorer.executor.keys.progress if restorer.executor is not None else None
    return origin.left_behind is not None and progress is not None and origin.left_behind(restorer.archive.identity.system, progress.last)


def _refuse_half_replaced(place: Place) -> None:
    """A replica's state goes to quarantine before a snapshot takes its place. Where that was cut off, nothing new may begin there; nor with a node's."""
    begun = read_manifest(place.disk, place.directory, place.key)
    if begun is not None and begun.stream:
        what = f"{place.directory} was about to become the directory of a node, of the cluster whose stream is {begun.stream}. Nothing was changed"
        raise UsageError(f"{what}. Open it with cluster=...: it goes on; or choose another directory.", path=place.directory)
    if begun is not None and begun.follows:
        what = f"{place.directory} is the directory of a replica whose state was being replaced by its primary's. Nothing was changed"
        raise UsageError(f"{what}. Open it with replication=True: it goes on; what it had is in quarantine/.", path=place.directory)


def _check_whose(archive: Archive, origin: Origin | None) -> None:
    """Raises UsageError where a directory is opened as something that it is not."""
    directory, manifest, stream = archive.directory, archive.manifest, origin.stream if origin is not None else ""
    if manifest.follows and (origin is None or stream):
        what = (
            f"{directory} is the directory of a replica, or of a primary that was fenced: actions of its own would make it another history"
        )
        raise UsageError(
            f"{what}. Nothing was changed. Open it with replication=True, and promote it there: control(replica).promote().", path=directory
        )
    if manifest.stream == stream:
        return
    if manifest.stream:
        what = f"{directory} is a node's directory, of the cluster whose stream is {manifest.stream}. Nothing was changed"
        raise UsageError(f"{what}. Open it with cluster=... and the name that it had, or choose another directory.", path=directory)
    what = f"{directory} holds a system of its own, which is no node's. Nothing was changed"
    raise UsageError(f"{what}. Choose an empty directory for the node: it takes its state from the cluster.", path=directory)


def _make_engine(archive: Archive, restorer: Restorer, replayed: Replayed, settings: Settings, origin: Origin | None) -> Engine:
    """The engine, with the journal open where it ends. A replica's syncs what it copies; the order of a node's makes its actions durable."""
    executor, codec, buffered = restorer.executor, restorer.codec, settings.durability == "buffered"
    assert executor is not None
    with told(archive.directory):
        if origin is not None and origin.stream:
            ordered = OrderedEngine(
                executor, open_journal(archive, replayed, segment_bytes=settings.segment_bytes, mapped=True), codec, time.time_ns
            )
            assert executor.keys.progress is not None
            ordered.begin(executor.keys.progress)
            return ordered
        if origin is None:
            journal = open_journal(archive, replayed, segment_bytes=settings.segment_bytes, mapped=buffered)
            kind = Engine if buffered else ConfirmedEngine if settings.confirmed else SharedEngine
            return kind(executor, journal, codec, time.time_ns)
        following = FollowingEngine(executor, open_copied_journal(archive, replayed, settings.segment_bytes), codec, time.time_ns)
    following.begin(origin.primary, archive, restorer, replayed.base.lsn)
    return following


def _dump(codec: Codec, initial: Callable[[], object], beside: object = None) -> bytes:
    """The initial state as snapshot 0 holds it. Raises NotSerializableError for what could not be read back, UsageError for what cannot be copied."""
    out, root = io.BytesIO(), initial()
    codec.dump_state(root, out.write, beside)
    try:
        copy, _ = codec.load_state(io.BytesIO(out.getvalue()))
    except CorruptionError as error:
        reason = why(error.__cause__ or error)
        what = f"The state of {type(root).__qualname__} could not be read back, so nothing was created: {reason}"
        remedy = "" if reason == ENDLESS else " Objects are made anew by __new__ with what __getnewargs__ says."
        raise NotSerializableError(what + remedy, method="", where="the state") from error
    if copy is root:
        what = f"{type(root).__qualname__}.__new__ gives the same object again, but the system must run on a copy of its own. Nothing was created."
        raise UsageError(f"{what} Let __new__ make a new object.")
    return out.getvalue()
