"""How the file of a snapshot comes to be: what is done while nobody may call, and what beside the calls.

    Here      the state is written while calls wait; beside them the file is synced and read back
    Beside    a forked child keeps the state as it is, and does all of that; calls wait for the fork only
    Elsewhere a fresh process makes the state anew from what is sealed of the journal; calls wait for nothing

Each begins under the system's lock, with the constructor, and gets done with `finish()` on a thread of its own. The file has a temporary
name, which the job that it belongs to gives up or puts in place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from coopy.clock import Moment, moment
from coopy.codec import Codec
from coopy.disk import is_refused
from coopy.engine.archive import Archive
from coopy.engine.once import Keys
from coopy.error import CoopyError, CorruptionError, DiskFullError, DurabilityError, NotSerializableError, UpgradeError
from coopy.fresh import pack_error, unpack_error
from coopy.snapshot import SnapshotHeader, begin_snapshot, finish_snapshot, open_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from coopy.engine.execute import Executor

__all__ = ["Beside", "Cancelled", "Draft", "Elsewhere", "Helper", "Here", "Plan", "incomplete"]


class Cancelled(BaseException):
    """Nobody wants the snapshot any more. No error: the state's own code must not catch it."""


class Plan(msgspec.Struct, frozen=True):
    """What is to be written, and where. `noted`: what the journal does not say yet of how actions in it ended, as the manifest keeps it."""

    archive: Archive
    codec: Codec
    about: SnapshotHeader
    temporary: str
    noted: tuple[tuple[int, int, str], ...] = ()

    def dump(self, executor: Executor, on_block: Callable[[], object]) -> Callable[[], None]:
        """Write the state now; gives what is still to be done. Where either fails, no trace is left."""
        archive, codec, root, beside = self.archive, self.codec, executor.root, executor.keys.values()
        file = codec.store_state(
            root, beside, lambda dump: begin_snapshot(archive.disk, self.temporary, self.about, dump, archive.key, on_block)
        )
        return lambda: finish_snapshot(archive.disk, file, lambda path: self._read_back(path, on_block))

    def _read_back(self, path: str, on_block: Callable[[], object]) -> None:
        archive = self.archive
        _, stream = open_snapshot(archive.disk, path, archive.key, archive.identity, on_block)
        token = moment.set(Moment(b""))  # a proxy refuses to be used in it
        try:
            with stream:
                _, beside = self.codec.load_state(stream)
            Keys(self.codec).fill(beside)
        except (CorruptionError, UpgradeError) as error:
            if "path" in vars(error):  # it is the file that is wrong
                raise
            what = f"The state at LSN {self.about.lsn} could not be read back as it was written: {error.__cause__ or error}"
            intact = "No snapshot was kept; those before it and the journal are intact, and the system goes on"
            remedy = "Objects are made anew by what their __reduce__, __getstate__ and __setstate__ say."
            raise NotSerializableError(f"{what}. {intact}. {remedy}", method="", where="the state") from error
        finally:
            moment.reset(token)


class Draft(Protocol):
    """A snapshot's file on its way."""

    def finish(self) -> None:
        """Have it whole, synced and read back when this returns. Raises what went wrong, or Cancelled."""

    def cancel(self) -> None:
        """Leave off soon. May be repeated, by any thread."""


class Here:
    """Written by this process."""

    def __init__(self, plan: Plan, executor: Executor) -> None:
        self._cancelled = False
        self._finish = plan.dump(executor, self._check)

    def finish(self) -> None:
        """As Draft says."""
        self._finish()

    def cancel(self) -> None:
        """As Draft says: before the next block."""
        self._cancelled = True

    def _check(self) -> None:
        if self._cancelled:
            raise Cancelled


class Beside:
    """Written by a forked child. Its constructor raises ChildProcessError where none can be had."""

    def __init__(self, plan: Plan, executor: Executor) -> None:
        self._cancelled = False
        try:
            self.child = plan.archive.disk.fork(lambda pulse: _written(plan, executor, pulse))
        except OSError as error:
            raise ChildProcessError(f"no process could be forked for it ({error})") from error

    def finish(self) -> None:
        """As Draft says."""
        try:
            answer = self.child.wait()
        except ChildProcessError:
            if self._cancelled:
                raise Cancelled from None
            raise
        if answer:
            raise unpack_error(answer)

    def cancel(self) -> None:
        """As Draft says: at once."""
        self._cancelled = True
        self.child.kill()


class Process(Protocol):
    """A fresh process (coopy/fresh.py) that writes."""

    def __iter__(self) -> Iterator[bytes]:
        """Ends when it does. Raises what went wrong there."""

    def cancel(self) -> None:
        """End it now, whatever it does. May be repeated, by any thread."""


class Helper(Protocol):
    """Who starts one."""

    def why_not(self) -> str:
        """Why none could do it now; empty if one can."""

    def start(self, plan: Plan) -> Process:
        """Have the file written. Raises OSError or UsageError where no process can be had."""


class Elsewhere:
    """Written by a fresh process, from the journal."""

    def __init__(self, plan: Plan, helper: Helper) -> None:
        self._plan, self._helper = plan, helper
        self._process: Process | None = None
        self._cancelled = False

    def finish(self) -> None:
        """As Draft says. A process is started here: that takes time."""
        process = self._process = self._helper.start(self._plan)
        if self._cancelled:
            process.cancel()
        for _ in process:
            pass
        if self._cancelled:
            raise Cancelled

    def cancel(self) -> None:
        """As Draft says: at once."""
        self._cancelled = True
        if self._process is not None:
            self._process.cancel()


def _written(plan: Plan, executor: Executor, pulse: Callable[[], None]) -> bytes:
    """In the child: write and read back. What goes wrong is the answer, for there is nobody else to hear of it."""
    try:
        plan.dump(executor, pulse)()
    except CoopyError as error:
        return pack_error(error)
    except (OSError, MemoryError) as error:
        return pack_error(incomplete(plan.archive, plan.about.lsn, error))
    return b""


def incomplete(archive: Archive, lsn: int, error: Exception) -> CoopyError:
    """The error for a snapshot that the operating system kept from being completed."""
    why = str(error) or type(error).__name__
    what = f"The snapshot at LSN {lsn} was not completed in {archive.directory}: {why}. The snapshots before it and the journal are intact"
    if isinstance(error, OSError) and is_refused(error):
        remedy = "Make room, or what else it needs, and take it again."
        return DiskFullError(f"{what}; the system goes on. {remedy}", path=archive.directory, needed=0)
    remedy = "Take it again." if isinstance(error, ChildProcessError | MemoryError) else "Check the disk."
    return DurabilityError(f"{what}; the system goes on. {remedy}", path=archive.directory)
