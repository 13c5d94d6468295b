"""One call from the door to the answer, and what an interrupted call leaves behind. Who may enter is said in entrance.py.

    call   encode -> append -> execute -> answer, one at a time under the state's lock            ("buffered"; "sync" is in commit.py)
    read   execute -> answer, under the same lock

Memory is the system's, never a thread's, and `gate` says in one word whether the next may enter. An action takes it from OPEN to BUSY
and back; whoever is interrupted in between leaves LEFTOVER, and the next entrant finishes first: the journal decides whether the action
happens; if so, memory is rebuilt on a fresh thread and the action executed there once. Locks are held by `with` only, and what must not
be missed is a plain store, for CPython looks for signals at calls and backward jumps. No loop stands directly inside of a `with lock` or
a `try`: in CPython 3.13 its backward jump may lie outside of what the compiler protects, and a signal there would leave the lock held.

`lock` guards the domain object, the executor, `gate`, `executed` and what the journal keeps in memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from coopy.action import Outcome, type_name
from coopy.clock import offset_minutes
from coopy.engine.beside import Beside, Flight, wait_for
from coopy.engine.entrance import Entrance, moment_of
from coopy.engine.execute import PLAIN
from coopy.engine.gate import BROKEN, BUSY, FAILED, LEFTOVER, OPEN, SHARED, Gate
from coopy.engine.keyed import call_keyed, refuse_beside
from coopy.engine.once import ONCE
from coopy.engine.uninterrupted import Worker
from coopy.error import DiskFullError, DurabilityError, UsageError
from coopy.journal.frame import Kind, stored
from coopy.measured import Stopwatch, Trouble, perf_counter

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.codec import Codec
    from coopy.engine.execute import Executor
    from coopy.journal.journal import Journal

__all__ = ["NOTHING", "Engine", "Memory"]

QUARTER = 900_000_000  # microseconds; zones change their offset at quarters of an hour
AS_NEW = object()  # how an action ended that nobody saw end
NOTHING = object()  # it has ended, and its caller has heard


class Memory(Protocol):
    """How memory is made anew from what is kept."""

    def rebuild(self, last: int, *, run_last: bool) -> tuple[object, dict[int, Outcome]]:
        """Make memory what the journal says up to an LSN; with `run_last` that one counts as interrupted and runs as a new one.

        Gives how `last` ended then, and by LSN whatever raised whose outcome was not known before.
        """

    def rotate(self) -> None:
        """Go on in a new segment."""


class Engine(Entrance):
    """A running system without its door. `follows`: its actions come from elsewhere now; nothing else says so of a running system."""

    memory: Memory  # handed in by whoever owns the files
    common: dict[str, Any]  # the names in the lines of the short ways (common.py), by whoever makes the engine
    follows = False
    replica = False  # whether it was opened as one: it follows, or was promoted
    ordered = False  # whether others say what comes next: a node's
    short_way = True  # whether the common call has one (common.py); the common query always has

    def __init__(self, executor: Executor, journal: Journal, codec: Codec, wall: Callable[[], int]) -> None:
        super().__init__()
        self.executor, self.journal, self.codec, self.wall = executor, journal, codec, wall
        self._perform, self._encode = executor.execute, codec.encode
        self.executed = journal.lsn
        self.beside = Beside()
        self.worker = Worker()
        self.before, self.raised, self.undone = journal.lsn, 0, 0  # the last LSN before this run, and what actions did since
        self.batches, self.rebuilds = Stopwatch(), Stopwatch()
        self.trouble: Trouble | None = None  # why memory could not be made anew the last time
        self.utc_offset = self.zone_ends = 0

    # --- the story of a call -----------------------------------------------------------------------------------------

    def call(self, method: str, args: tuple[object, ...], kwargs: dict[str, object]) -> Any:
        """Record an action, then execute it. Gives what it returned or raises what it raised."""
        if moment_of() is not None and method != ONCE:
            return call_keyed(self, method, args, kwargs)
        kind, payload, args, kwargs = self._encode(method, args, kwargs)
        word, payload = stored(kind, payload)
        journal = self.journal
        with self.lock:
            if self.gate is not OPEN:
                self.enter()
            self.gate = BUSY
            try:
                now = self.wall() // 1000
                if now <= journal.time_us:
                    now = journal.time_us + 1
                if now >= self.zone_ends or journal.end >= journal.limit or self.beside.flights:
                    self.prepare(now)
                lsn = journal.append(word, payload, now, self.utc_offset)
                result = self._perform(method, args, kwargs, lsn, now, self.utc_offset)
                if type(result) is Outcome:
                    self.conclude(lsn, result)
                self.took(lsn)
                self.gate = self.rest()
            except BaseException:
                if self.gate is BUSY:
                    self.gate = LEFTOVER
                    self.executor.ask()
                raise
        if type(result) is Outcome:
            try:
                raise result.error
            finally:
                del result  # the error refers to this frame by its traceback; in a circle both would stay until the garbage collector comes
        return result

    def call_beside(self, method: str, args: tuple[object, ...], kwargs: dict[str, object]) -> Any:
        """Record an `@unlocked` action, then execute it on this thread without the lock."""
        if moment_of() is not None:
            self.refuse_nested(method)
            refuse_beside(method)
        kind, payload, args, kwargs = self.codec.encode(method, args, kwargs)
        word, payload = stored(kind, payload)
        flight = Flight()
        try:
            with self.lock:
                if self.gate is not OPEN:
                    self.enter()
                self.gate = BUSY
                try:
                    now = max(self.wall() // 1000, self.journal.time_us + 1)
                    self.prepare(now)
                    lsn = self.journal.append(word, payload, now, self.utc_offset)
                    # Stores only from here on: it is either this thread's to execute, or left over.
                    self.beside.flights[lsn], self.executed, self.executor.moment.time_us, self.gate = flight, lsn, now, SHARED
                    stamp = lsn, now, self.utc_offset
                except BaseException:
                    if self.gate is BUSY:
                        self.gate = LEFTOVER
                        self.executor.ask()
                    raise
            flight.result = self.executor.beside().execute(method, args, kwargs, *stamp)
            flight.landed = True
        finally:
            flight.gone = True
            if not flight.landed:
                self.executor.ask()
        flight.end.release()
        return self.answer_beside(flight.result)

    def answer_beside(self, result: object) -> Any:
        """As `answer`; an action that is to be undone is so before its caller hears of it."""
        if type(result) is Outcome and result.undo:
            self.exclusively(lambda: self.keep_promise(result))
        return self.answer(result)

    def read(self, function: Callable[..., object], /, *args: object, **kwargs: object) -> Any:
        """Execute a query: `function` of the domain object, under the lock, on the caller's thread and in its context."""
        if moment_of() is not None:
            self.refuse_nested(getattr(function, "__name__", "a query"))
        with self.lock:
            if self.gate is not OPEN:
                self.enter_to_read()
            gate, self.gate = self.gate, BUSY
            try:
                result = function(*args, **kwargs)
                return result if type(result) in PLAIN else self.executor.settle(result)
            finally:
                self.gate = self.final or gate

    read_now = read

    def must_settle(self) -> bool:
        """Whether a query that begins here is to call `settle` before, and then `read_now`. `read` does that itself."""
        return False

    def settle(self) -> object:
        """What was acknowledged anywhere before is executed here when this returns. Of a system of its own it always is."""

    def read_beside(self, function: Callable[..., object], /, *args: object, **kwargs: object) -> Any:
        """Execute a query that does its own locking: without the lock. It does not begin while memory is made anew."""
        if moment_of() is not None:
            self.refuse_nested(getattr(function, "__name__", "a query"))
        if self.stale or not self.gate.readable:
            self.read(_nothing)
        return self.executor.settle(function(*args, **kwargs))

    # --- what belongs to it ------------------------------------------------------------------------------------------

    def prepare(self, now: int) -> None:
        """What is not due at every call: the zone's offset, a new segment, `@unlocked` actions that have ended."""
        if now >= self.zone_ends:
            self.look_up_zone(now)
        if self.beside.flights:
            self.land()
        if self.journal.end >= self.journal.limit and self.journal.lsn >= self.journal.first_lsn:
            self.rotate()  # never of a segment without an action: the next one would have its name

    def look_up_zone(self, now: int) -> None:
        """The local zone's offset at this time, and until when it holds at least."""
        self.utc_offset, self.zone_ends = offset_minutes(now), now - now % QUARTER + QUARTER

    def took(self, lsn: int) -> None:
        """The action is in memory."""
        self.executed = lsn
        self.journal.known = self.beside.known(lsn) if self.beside.flights else lsn

    def rest(self) -> Gate:
        """How the gate stands while nobody is inside."""
        return self.final or (SHARED if self.beside.flights else OPEN)

    def conclude(self, lsn: int, outcome: Outcome) -> None:
        """An action raised: the journal is to say so, or memory forgets it."""
        self.note(lsn, outcome)
        if outcome.undo and not outcome.untouched:
            self._rebuild(lsn, outcome)

    def note(self, lsn: int, outcome: Outcome) -> None:
        """Have the journal say with its next write how an action ended that did not return."""
        self.raised, self.undone = self.raised + 1, self.undone + outcome.undo
        self.journal.note(Kind.SKIP if outcome.undo else Kind.RAISED, (lsn, type_name(outcome.error)))

    def answer(self, result: object) -> Any:
        """What the caller gets of a result that may be an Outcome."""
        if type(result) is Outcome:
            raise result.error
        return result

    def confirm_known(self, lsn: int) -> None:
        """Before a caller hears again how an action ended: as far as others have to have it, they do."""

    # --- what an interrupted call leaves behind ----------------------------------------------------------------------

    @property
    def queued(self) -> int:
        """How many calls wait for a batch."""
        return 0

    @property
    def decided(self) -> int:
        """The last LSN that happens, whatever became of the thread that called it."""
        return self.journal.lsn

    def finish_leftover(self) -> None:
        """Under the lock: have memory say what the journal says, if anybody was interrupted. May be repeated."""
        if self.gate is SHARED and (self.stale or self.beside.gone()):
            self.worker.finish()
            self.land()  # nobody was interrupted: what is decided and not executed yet is about to be, by its leader
            self.gate = self.rest()
        elif self.gate is LEFTOVER:
            self.worker.finish()
            if self.final is None:
                self.land()
                self._catch_up(self.decided)
                if self.journal.failure is not None:
                    self.end(FAILED, self.journal.failure)
            self.gate = self.rest()

    def fail(self, error: DurabilityError) -> None:
        """The disk failed: no more actions. Queries go on, so memory is to be whole before, also where somebody was interrupted meanwhile."""
        try:
            self.finish_leftover()
        finally:
            if self.final is None:
                self.end(BROKEN if self.stale else FAILED, error)

    def _catch_up(self, last: int) -> None:
        while self.executed < last:
            self._rebuild(self.executed + 1)
        if self.stale:
            self._rebuild(self.executed, NOTHING)

    def resolved(self, lsn: int, result: object) -> None:
        """An action whose thread was interrupted has its result now. When buffered there is nobody to tell."""

    def _rebuild(self, last: int, result: object = AS_NEW) -> object:
        """Memory as the journal says, and all that follows from it, in one piece: an interrupt meanwhile is raised after that.

        `result`: how the last action ended, which it gives back; AS_NEW if nobody knows, then it runs once more; NOTHING if its caller has heard.
        """
        self.beside.wait()
        self.stale = True
        return self.worker.run(lambda: self._rebuild_here(last, result))

    def _rebuild_here(self, last: int, result: object) -> object:
        began = perf_counter()
        try:
            found, raised = self.memory.rebuild(last, run_last=result is AS_NEW)
        except OSError as error:
            what = f"Memory must be made anew from the files, and they cannot be read: {error}. Nothing is lost, and what was recorded happens."
            self.trouble = Trouble.now(error)
            raise DurabilityError(f"{what} Each next call tries again; or close the system and open it again.") from error
        except BaseException as error:  # what cannot be rebuilt cannot be read either
            self.trouble = Trouble.now(error)
            self.end(BROKEN, error)
            raise
        self.rebuilds.add(perf_counter() - began)
        self.executor.show_new()
        for lsn, outcome in raised.items():
            self.note(lsn, outcome)
        self.beside.clear()
        self.stale = False
        if result is AS_NEW:
            result = found
        if result is not NOTHING:
            self.keep_promise(result)
            self.resolved(last, result)
            self.took(last)
        return result

    def keep_promise(self, result: object) -> None:
        """An action that used a proxy was undone. On a restart there is no proxy to use: nobody hears of it before the SKIP is safe."""
        if type(result) is Outcome and result.undo and isinstance(result.error, UsageError) and self.journal.failure is None:
            try:
                self.journal.flush()
            except DiskFullError as error:  # going on would leave what nobody may see to a restart
                failure = DurabilityError(f"An action was undone, and there is no room to say so in the journal: {error}", path=error.path)
                self.end(FAILED, failure)
                raise failure from error
            self.journal.sync()

    def land(self) -> None:
        """Take note of how `@unlocked` actions ended; memory is stale where one was interrupted or is to be undone."""
        for lsn in self.beside.gone():
            flight = self.beside.flights[lsn]
            if not flight.landed:
                self.stale = True
            elif type(flight.result) is Outcome:
                self.stale = self.stale or (flight.result.undo and not flight.result.untouched)
                self.note(lsn, flight.result)
            del self.beside.flights[lsn]
        if self.stale and self.gate is not LEFTOVER:
            self._rebuild(self.executed, NOTHING)
        if not self.stale:  # else how an interrupted one ends is found out by the rebuild to come
            self.journal.known = self.beside.known(self.executed)

    # --- what nobody may disturb -------------------------------------------------------------------------------------

    def let_land(self) -> None:
        """Wait for the `@unlocked` actions that are in flight, while others go on: whoever then needs memory to stand still waits for few."""
        with self.lock:
            flights = list(self.beside.flights.values())
        wait_for(flights)

    def rotate(self) -> None:
        """Go on in a new segment. All outcomes are known before."""
        self.beside.wait()
        self.land()
        self.worker.run(self.memory.rotate)

    def make_anew(self) -> None:
        """Memory as the journal says it is: somebody changed it past the system."""
        self.exclusively(self._make_anew)

    def _make_anew(self) -> None:
        self.stale = True
        self._rebuild_here(self.executed, NOTHING)

    def exclusively(self, work: Callable[[], Any]) -> Any:
        """Run something on a thread of its own that no signal reaches, while no action or query runs. It may close the gate for good."""
        if moment_of() is not None:
            self.refuse_nested("A system operation")
        with self.lock:
            if self.gate is not OPEN:
                self.enter()
            self.gate = BUSY
            try:
                self.beside.wait()
                self.land()
                result = self.worker.run(work)
                if self.gate is BUSY:
                    self.gate = self.rest()
            except BaseException:
                if self.gate is BUSY:
                    self.gate = LEFTOVER
                    self.executor.ask()
                raise
        return result


def _nothing() -> None:
    """Read nothing: only pass the gate."""
