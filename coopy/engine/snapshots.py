"""Snapshots of a running system: begun under its lock, completed beside the calls, listed under the lock again.

    begin      the journal goes on in a new segment, so that the state is the one at the end of the one before; a draft (drafts.py) takes it down
    complete   on a thread of its own: the draft is finished and put in place under its name
    enlist     the manifest names it; what it makes superfluous gets another name, under which nobody misses it
    tidy       that goes

One at a time: whoever wants another while one is on its way joins it, or waits for it. Nothing that fails here changes what was there
before. The system's lock guards `job`, and the manifest as ever.
"""

from __future__ import annotations

import math
from _thread import allocate_lock, start_new_thread
from typing import TYPE_CHECKING, Protocol

from coopy.engine.beside import WAKE
from coopy.engine.drafts import Beside, Cancelled, Elsewhere, Here, Plan, incomplete
from coopy.engine.gate import IN_CHILD
from coopy.engine.opening import domain_name
from coopy.engine.prune import put_aside, snapshots_kept, unlink_aside
from coopy.error import ClosedError, CoopyError, DiskFullError, DurabilityError, UsageError
from coopy.logs import logger
from coopy.measured import Stopwatch, Trouble, perf_counter
from coopy.snapshot import SnapshotHeader, place_snapshot, python_version, snapshot_name, temporary_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.engine.archive import Archive
    from coopy.engine.drafts import Draft, Helper
    from coopy.engine.engine import Engine
    from coopy.engine.restore import Restorer
    from coopy.engine.system import Settings

__all__ = ["Snapshots"]

log = logger("snapshot")
FORKING = 0.024 / (1 << 30)  # seconds that forking takes for each byte that the process holds, before it was measured here
SMALL = 256 << 20  # bytes up to which it takes no time to speak of
BEARABLE = 0.015  # seconds that it may take where there is another way; the new segment takes a few milliseconds besides


class _Job:
    """One snapshot on its way. `quiet`: nobody waits for it, so its failure is logged. Its thread alone changes it, but for `cancelled`."""

    def __init__(self, plan: Plan, begun: float, *, quiet: bool) -> None:
        self.plan, self.quiet, self.lsn, self.begun = plan, quiet, plan.about.lsn, begun
        self.draft: Draft | None = None
        self.placed = self.listed = self.cancelled = self.ended = self.has_thread = False
        self.error: BaseException | None = None
        self._go, self._end = allocate_lock(), allocate_lock()
        self._go.acquire()
        self._end.acquire()

    def have_thread(self, run: Callable[[_Job], None]) -> None:
        """One that does nothing before `go`: what could not be completed is not begun. A job that somebody waits for needs none."""

        def wait_and_run() -> None:
            self._go.acquire()
            run(self)

        try:
            start_new_thread(wait_and_run, ())
        except RuntimeError:  # there are too many, or the interpreter ends
            if self.quiet:
                raise ChildProcessError("there is no thread for it") from None
        else:
            self.has_thread = True

    def go(self) -> None:
        self._go.release()

    def cancel(self) -> None:
        self.cancelled = True
        if self.draft is not None:
            self.draft.cancel()

    def end(self) -> None:
        self.ended = True
        self._end.release()

    def sleep(self) -> None:
        """Until it has ended, or for a moment: an interrupt may have kept another waiter from passing the lock on."""
        if self._end.acquire(timeout=WAKE):
            self._end.release()


class Home(Protocol):
    """The system that they are of."""

    def stay(self) -> None:
        """Raises DurabilityError where what is written by name would go to another directory than the one that is locked."""

    def sync(self) -> None:
        """Force what is written to stable storage, beside the calls."""


class Snapshots:
    """Takes them.

    `times`: how long those of this run took; `failed`: how many did; `problem`: why the last one failed, empty if it did not; `trouble`: the last
    failure; `pause`: for how many seconds the last one kept the lock when it began and when it was listed, the longer of the two. `helper`: who can
    have one written elsewhere, until that fails. `held`: LSNs of snapshots that stay, with all after them, while somebody reads them.
    """

    def __init__(self, archive: Archive, engine: Engine, restorer: Restorer, settings: Settings, home: Home) -> None:
        self._archive, self._engine, self._restorer, self._settings, self._home = archive, engine, restorer, settings, home
        self._job: _Job | None = None
        self.held: list[int] = []
        self._closing = False
        self._pace = math.inf  # the least that forking took for a byte, in seconds: what a busy machine added says nothing
        self.helper: Helper | None = None
        self.times, self.failed = Stopwatch(), 0
        self.trouble: Trouble | None = None
        self.pause = 0.0
        self.problem = ""

    # --- what can be asked -------------------------------------------------------------------------------------------

    def take(self) -> int:
        """Have a snapshot of the state after all calls so far when this returns. Gives its LSN. Calls wait while the state is written."""
        self._prepare()
        while True:
            self._wait_for(self._job)  # it may be of a state before the last calls
            new, found = self._begin(self._write_here, quiet=False)
            if isinstance(found, int):
                return found
            if new:
                return self._see_through(found)

    def _see_through(self, job: _Job) -> int:
        if not job.has_thread:
            self._run(job)
        self._wait_for(job)
        if job.error is not None:
            raise job.error
        return job.lsn

    def begin(self) -> int:
        """Begin one that is completed beside the calls, unless one is on its way. Gives the LSN of the one that is."""
        self._prepare()
        _, found = self._begin(self._chosen(), quiet=True)
        return found if isinstance(found, int) else found.lsn

    def _chosen(self) -> Callable[[_Job], None]:
        """Of the ways that are possible the one that calls notice least: a fork while it is short, a process that takes longer but no time of theirs."""
        disk = self._archive.disk
        size = disk.resident()
        short = size < SMALL or size * (FORKING if self._pace == math.inf else self._pace) <= BEARABLE
        if not (short and disk.can_fork()) and self.helper is not None and not self.helper.why_not():
            return self._write_elsewhere
        return self._write_beside if disk.can_fork() else self._write_here

    def wait(self) -> int:
        """Return when none is on its way. Gives the LSN of the newest there is; raises what kept the last one from being completed."""
        self._engine.refuse_inside("Waiting for a snapshot")
        job = self._job
        self._wait_for(job)
        if job is not None and job.error is not None:
            raise job.error
        return self._archive.manifest.snapshots[-1]

    def stop(self) -> None:
        """Cancel the one that is on its way, and begin no other; the system closes."""
        self._closing = True
        job = self._job
        if job is not None:
            job.cancel()
        self._wait_for(job)

    def go_on(self) -> None:
        """It was not closed after all."""
        self._closing = False

    def _prepare(self) -> None:
        """All that would take time under the lock and can be done before."""
        self._engine.refuse_inside("A snapshot")
        self._engine.let_land()
        self._home.sync()

    def _wait_for(self, job: _Job | None) -> None:
        while job is not None and not job.ended:
            if self._engine.final in IN_CHILD:  # its thread is the parent's
                raise self._engine.refusal()
            job.sleep()

    # --- begin: under the lock ---------------------------------------------------------------------------------------

    def _begin(self, write: Callable[[_Job], None], *, quiet: bool) -> tuple[bool, _Job | int]:
        """Whether it is a new one, and the job; its LSN where there is nothing to do."""
        try:
            found: tuple[bool, _Job | int] = self._engine.exclusively(lambda: self._begin_here(write, quiet=quiet))
        except ClosedError:
            raise
        except CoopyError as error:
            self._failed(error)
            raise
        return found

    def _begin_here(self, write: Callable[[_Job], None], *, quiet: bool) -> tuple[bool, _Job | int]:
        begun = perf_counter()
        if self._closing:
            raise ClosedError("The system is being closed: no snapshot was begun.")
        if self._job is not None and not self._job.ended:
            return False, self._job
        plan = self._plan()
        if self._archive.manifest.snapshots[-1] == plan.about.lsn and not self._restorer.passed_over:
            return False, plan.about.lsn
        job = _Job(plan, begun, quiet=quiet)
        try:
            job.have_thread(self._run)
            write(job)
        except OSError as error:
            raise incomplete(self._archive, job.lsn, error) from error
        else:
            self._job = job
        finally:
            job.go()
        self.pause = perf_counter() - begun
        return True, job

    def _plan(self) -> Plan:
        archive, journal, codec = self._archive, self._engine.journal, self._engine.codec
        self._home.stay()
        if journal.lsn >= journal.first_lsn:
            self._engine.memory.rotate()
        self._check_kind()
        # Not of today's epoch: records of older ones may stand behind it, of openings that called no action.
        tag = archive.manifest.segments[-1].previous_tag
        about = SnapshotHeader(
            archive.identity, journal.lsn, journal.time_us, journal.epoch_before, tag, python_version(), self._settings.compression
        )
        return Plan(archive, codec, about, temporary_path(archive.directory, journal.lsn), journal.unsaid())

    def _check_kind(self) -> None:
        """An action may have given the domain object another class: the journal leads there again, but no snapshot could be opened."""
        domain, name = self._archive.domain, domain_name(type(self._engine.executor.root))
        if name != domain:
            what = f"The domain object is a {name} by now (its __class__ was set), but the directory belongs to a {domain}. No snapshot was written."
            raise UsageError(
                f"{what} The journal holds everything. Set the class back, or keep what changes in an attribute.",
                path=self._archive.directory,
            )

    def _write_here(self, job: _Job) -> None:
        job.draft = Here(job.plan, self._engine.executor)

    def _write_elsewhere(self, job: _Job) -> None:
        assert self.helper is not None
        job.draft = Elsewhere(job.plan, self.helper)

    def _write_beside(self, job: _Job) -> None:
        size = self._archive.disk.resident()
        try:
            draft = job.draft = Beside(job.plan, self._engine.executor)
        except ChildProcessError:
            if self.helper is None or self.helper.why_not():
                raise
            self._write_elsewhere(job)
        else:
            if size >= SMALL:
                self._pace = min(self._pace, draft.child.seconds / size)

    # --- complete: beside the calls ----------------------------------------------------------------------------------

    def _run(self, job: _Job) -> None:
        """All that is left to do, on a thread that no signal reaches."""
        try:
            if job.draft is not None:
                self._complete(job)
        except BaseException as error:  # noqa: BLE001 - nobody calls this thread: whoever waits hears of it, or the log does
            job.error = error
            if job.quiet and not job.cancelled:
                log.warning("A snapshot beside the calls failed: %s", self.problem)
        finally:
            job.end()

    def _complete(self, job: _Job) -> None:
        try:
            self._finish(job)
            aside = self._engine.exclusively(lambda: self._enlist(job))
        except BaseException as error:
            self._give_up(job)
            raise self._settled(job, error) from error
        self.times.add(perf_counter() - job.begun)
        self.problem = ""
        log.info("%s: a snapshot at LSN %d, in %.2f s.", self._archive.directory, job.lsn, perf_counter() - job.begun)
        self._tidy(aside)

    def _finish(self, job: _Job) -> None:
        assert job.draft is not None
        job.draft.finish()
        if job.cancelled:
            raise Cancelled
        place_snapshot(self._archive.disk, job.plan.temporary, self._archive.directory, job.lsn)
        job.placed = True

    def _enlist(self, job: _Job) -> list[str]:
        """The manifest names it. Gives where that is now which nobody needs any more."""
        begun, archive, settings = perf_counter(), self._archive, self._settings
        self._home.stay()
        if not any((one.first_lsn, one.previous_tag) == (job.lsn + 1, job.plan.about.tag) for one in archive.manifest.segments):
            what = f"The journal was replaced while the snapshot at LSN {job.lsn} was written: it is of a history that is not kept."
            raise DurabilityError(f"{what} The system goes on. Take another one.", path=archive.directory)
        snapshots = snapshots_kept((*archive.manifest.snapshots, job.lsn), settings.keep_snapshots, self.held)
        segments = archive.from_snapshot(snapshots[0]) if settings.auto_prune else archive.manifest.segments
        job.listed = True  # should writing the manifest fail, it may be so
        archive.change(snapshots=snapshots, segments=segments, noted=job.plan.noted)
        aside = put_aside(archive)
        self.pause = max(self.pause, perf_counter() - begun)
        return aside

    def _tidy(self, aside: list[str]) -> None:
        try:
            unlink_aside(self._archive, aside)
        except OSError as error:
            log.warning("What the snapshot in %s replaced is still there: %s. The next opening removes it.", self._archive.directory, error)

    # --- where it fails ----------------------------------------------------------------------------------------------

    def _settled(self, job: _Job, error: BaseException) -> BaseException:
        """What whoever waits is to hear. A cancelled one did not fail."""
        if job.cancelled:
            what = f"The system was closed while the snapshot at LSN {job.lsn} was written: it was given up."
            return ClosedError(f"{what} The snapshots before it and the journal hold everything.")
        if isinstance(job.draft, Elsewhere) and not isinstance(error, DiskFullError):
            self.helper = None  # what the journal does not give, or not there, the next one takes from memory
        if isinstance(error, OSError | MemoryError):
            error = incomplete(self._archive, job.lsn, error)
        self._failed(error)
        return error

    def _failed(self, error: BaseException) -> None:
        self.trouble = Trouble.now(error)
        self.failed, self.problem = self.failed + 1, self.trouble.message

    def _give_up(self, job: _Job) -> None:
        """Leave no trace, if that can be had. What stays is not listed, or whole."""
        archive = self._archive
        path = archive.path(snapshot_name(job.lsn)) if job.placed else job.plan.temporary
        if job.listed or (job.placed and job.lsn in archive.manifest.snapshots):
            return
        try:
            if archive.disk.exists(path):
                archive.disk.unlink(path)
        except OSError as error:
            log.warning("%s was left behind: %s.", path, error)
