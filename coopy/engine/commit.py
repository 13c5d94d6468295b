"""The shared batch: durable first, then executed, for all who call at the same time. No call of "sync" durability returns otherwise.

    queue      taking part is one list append; from there on the action may become durable
    lead       whoever has this lock writes the queue as one batch, syncs it, executes all of it in LSN order and wakes the others
    batch      belongs to the system, never to a leader: whoever leads next finishes what an interrupted leader began, from the same
               offset and the same entry on
    entry      one call; it is complete when it has an outcome, and says so by a callback, so that a thread, an event loop or a replica
               may wait for it
    post       takes part without a thread that waits: whoever posts sees to it that somebody leads, on a thread that no signal reaches

A wake-up lost to an interrupt costs a waiter 50 ms, never a hang. There is no lingering: a batch is what has queued up while the one
before was synced. (Measured: each waiter executing its own action in turn collapses under a convoy of wake-ups.) Whoever led wakes one, and
each wakes the next, so that they do not all wake at once only to wait for the interpreter.
"""

from __future__ import annotations

import threading
from _thread import LockType, allocate_lock
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import msgspec

from coopy.action import Outcome
from coopy.engine.beside import WAKE, Flight
from coopy.engine.engine import NOTHING, Engine
from coopy.engine.entrance import inside, moment_of
from coopy.engine.gate import BUSY, FAILED, FORKED, LEFTOVER, OPEN, SHARED
from coopy.engine.keyed import call_keyed, refuse_beside
from coopy.engine.once import ONCE
from coopy.error import CoopyError, DiskFullError
from coopy.journal.frame import stored
from coopy.measured import perf_counter

__all__ = ["PENDING", "Entry", "SharedEngine", "copy_of"]

PENDING = object()
TAKE_OFF = object()  # an `@unlocked` action is durable: its own thread executes it


class Entry(msgspec.Struct, eq=False):
    """One call on its way. `outcome` is PENDING, then TAKE_OFF, what the method returned, or an Outcome.

    `next`: whom its thread is to wake when it has its outcome. `gone`: it looks no more at who that is. `hear`: of a call that no thread waits for, what
    `complete` calls. `leave`: the same when it has its outcome, for many at once: it wakes nobody, but gives what wakes all who wait in that place.

    Nothing of it refers to itself, or what a caller handed over would stay in memory until the garbage collector comes, if it does.
    """

    method: str
    args: tuple[object, ...]
    kwargs: dict[str, object]
    word: bytes
    payload: bytes
    lsn: int = 0
    time_us: int = 0
    utc_offset: int = 0
    outcome: object = PENDING
    flight: Flight | None = None
    next: Entry | None = None
    gone: bool = False
    wake: LockType | None = None  # once it waits
    hear: Callable[[], None] | None = None
    leave: Callable[[], Callable[[], None]] | None = None

    def begin_to_wait(self) -> LockType:
        """What is released when it is complete or is to lead. What came before shows in the next look."""
        wake = allocate_lock()
        wake.acquire()
        self.wake = wake
        return wake

    def pass_on(self) -> None:
        """Wake the next, now that this one has its outcome."""
        self.gone = True
        if self.next is not None:
            self.next.complete()

    def complete(self) -> None:
        """It has its outcome, or is to lead. May come more than once, from any thread."""
        hear = self.hear
        if hear is not None:
            hear()
        elif self.wake is not None:
            try:  # noqa: SIM105 - suppress() costs as much as the rest
                self.wake.release()
            except RuntimeError:  # it was woken before
                pass


UNREACHED = Entry("", (), {}, b"", b"")  # leads for a thread that no signal reaches: what is raised there is the action's own doing


class SharedEngine(Engine):
    """An engine whose calls are on stable storage before they run. `lead` comes before `lock`; the journal's files belong to the lead."""

    short_way = False

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.lead = threading.RLock()
        self.queue: list[Entry] = []
        self.batch: list[Entry] = []
        self._leads = False  # somebody does: a hint, which an interrupt leaves behind
        self._begun = 0.0  # when the batch was framed

    @property
    def queued(self) -> int:
        """As Engine.queued."""
        return len(self.queue)

    # --- the story of a call -----------------------------------------------------------------------------------------

    def call(self, method: str, args: tuple[object, ...], kwargs: dict[str, object]) -> Any:
        """Record an action, sync it together with those of other threads, execute it. Gives what it returned or raises what it raised."""
        if moment_of() is not None and method != ONCE:
            return call_keyed(self, method, args, kwargs)
        entry = self._entry(method, args, kwargs)
        self._take_part(entry)
        outcome = entry.outcome
        if type(outcome) is Outcome:
            entry.outcome = NOTHING
            try:
                raise outcome.error
            finally:
                del outcome  # as in Engine.call
        return outcome

    def call_beside(self, method: str, args: tuple[object, ...], kwargs: dict[str, object]) -> Any:
        """Record and sync an `@unlocked` action, then execute it on this thread without the lock."""
        if moment_of() is not None:
            refuse_beside(method)
        entry = self._entry(method, args, kwargs)
        self._fly(entry)
        return self.answer_beside(entry.outcome)

    def post(self, method: str, args: tuple[object, ...], kwargs: dict[str, object], listen: Callable[[Entry], Callable[[], None]]) -> None:
        """Queue an action up, and return; from here on it happens. Raises what is wrong with the call, and then nothing was queued.

        `listen(entry)` gives what is called when it has its outcome, and, while that is PENDING, when somebody is to call `lead_all`. It is called
        on any thread, maybe more than once, and maybe not at all where the thread was interrupted: look at `entry.outcome` now and then.
        """
        if self.final is FORKED:
            raise self.refusal()  # whoever would lead was not forked
        entry = self._entry(method, args, kwargs)
        entry.gone = True  # it has no thread that could wake the next
        entry.hear = listen(entry)
        try:
            self.queue.append(entry)
        finally:
            entry.complete()

    def lead_all(self) -> None:
        """Lead until nothing is queued, or as long as nobody else leads. Only on a thread that no signal reaches.

        Raises what keeps a batch from being executed: it happens, and whoever leads next tries again.
        """
        while (self.queue or self.batch) and self._lead(UNREACHED):
            pass

    def _fly(self, entry: Entry) -> None:
        flight = entry.flight = Flight()
        try:
            self._take_part(entry)
            if entry.outcome is TAKE_OFF:
                flight.result = self.executor.beside().execute(
                    entry.method, entry.args, entry.kwargs, entry.lsn, entry.time_us, entry.utc_offset
                )
                flight.landed = True
                entry.outcome = flight.result
        finally:
            flight.gone = True
            if not flight.landed:
                self.executor.ask()
        flight.end.release()

    def _entry(self, method: str, args: tuple[object, ...], kwargs: dict[str, object]) -> Entry:
        if moment_of() is not None:
            self.refuse_nested(method)
        if self.lead._is_owned() or self.lock._is_owned():  # type: ignore[attr-defined]  # noqa: SLF001 - what threading.Condition asks, too
            raise inside()
        kind, payload, args, kwargs = self._encode(method, args, kwargs)
        return Entry(method, args, kwargs, *stored(kind, payload))

    def refuse_inside(self, what: str) -> None:
        """As Engine.refuse_inside; also inside of a leader."""
        super().refuse_inside(what)
        if self.lead._is_owned():  # type: ignore[attr-defined]  # noqa: SLF001 - as for the lock
            raise inside()

    def _take_part(self, entry: Entry) -> None:
        """Queue up, and lead whenever nobody does, until the entry has an outcome."""
        self.queue.append(entry)
        try:
            if self._leads or not self._lead(entry) or entry.outcome is PENDING:
                self._wait(entry)
        finally:
            entry.pass_on()

    def _wait(self, entry: Entry) -> None:
        wake = entry.begin_to_wait()
        while entry.outcome is PENDING:
            if not self._lead(entry):
                wake.acquire(True, WAKE)  # noqa: FBT003 - as in _lead

    def _lead(self, entry: Entry) -> bool:
        """Lead one batch, unless somebody else leads: nobody waits here who may be needed elsewhere, as an `@unlocked` action is.

        `acquire` is the first call inside of the `try`, `release` the first of its handler: see common.py.
        """
        taken = False
        try:
            taken = self.lead.acquire(False)  # noqa: FBT003 - by position: a call by name takes half as long again
            if taken and entry.outcome is PENDING:
                self._leads = True
                self._commit(entry)
                self._leads = False
        except BaseException:
            try:  # noqa: SIM105 - suppress() would be a call before it
                self.lead.release()
            except RuntimeError:
                pass
            raise
        if taken:
            self.lead.release()
            if self.queue:
                self._call_next_leader()
        return taken

    def _call_next_leader(self) -> None:
        for entry in self.queue[:1]:
            entry.complete()

    def exclusively(self, work: Callable[[], Any]) -> Any:
        """As Engine.exclusively, after all that has queued up."""
        self.refuse_inside("A system operation")
        with self.lead:
            self._drain()
            result = super().exclusively(work)
        self._call_next_leader()
        return result

    def _drain(self) -> None:
        """What comes meanwhile waits: where many call all the time there is no moment at which nobody does."""
        last = self.queue[-1:]
        while self.batch or any(entry.outcome is PENDING for entry in last):
            self._commit(None)

    # --- leading -----------------------------------------------------------------------------------------------------

    def _commit(self, mine: Entry | None) -> None:
        """Finish the batch that there is, else make one of the queue: frame, write, sync, execute. May be repeated from any point."""
        try:
            with self.lock:
                if self.gate is not OPEN:
                    self.enter()
                if self.journal.batch is None and not (self.batch and self._is_durable()):
                    self._draft()
            if self.queue and self.queue[0] is self.batch[0]:
                del self.queue[: len(self.batch)]
            self.journal.commit()
        except CoopyError as error:
            self._refuse(error)
            return
        try:
            self._execute(mine)
        except CoopyError as error:
            if self.final is None:  # the batch happens: whoever leads next executes it
                raise
            self._refuse(error)

    def _is_durable(self) -> bool:
        """Whether the batch waits for its execution only. A batch that was never drafted has LSNs yet to come."""
        return self.batch[-1].lsn <= self.journal.durable

    def _draft(self) -> None:
        """Make a batch of what has queued up."""
        self.gate = BUSY
        try:
            journal = self.journal
            if journal.end >= journal.limit or self.beside.flights:
                self.prepare(0)
            entries = self.queue[:]
            self._frame(entries if len(entries) == 1 else up_to_beside(entries))
            self.gate = self.rest()
        except BaseException:
            if self.gate is BUSY:
                self.gate = LEFTOVER
                self.executor.ask()
            raise

    def _frame(self, entries: list[Entry]) -> None:
        """The entries get their LSNs and stamps, and the batch its bytes. The journal's own store publishes it."""
        journal = self.journal
        lsn, time_us = journal.lsn, journal.time_us
        for entry in entries:
            lsn, time_us = lsn + 1, max(self.wall() // 1000, time_us + 1)
            if time_us >= self.zone_ends:
                self.look_up_zone(time_us)
            entry.lsn, entry.time_us, entry.utc_offset = lsn, time_us, self.utc_offset
        self.batch, self._begun = entries, perf_counter()
        journal.draft(entries)

    def _refuse(self, error: CoopyError) -> None:
        """There is no room, the disk failed, or the system is closed: nobody's call happens. After a failed disk nobody can know that."""
        with self.lock:
            if isinstance(error, DiskFullError):
                self.journal.take_back()
            elif self.journal.failure is not None and self.final is None:
                self.end(FAILED, self.journal.failure)
            refused, self.batch = [*self.batch, *self.queue], []
        for entry in refused:
            if entry.outcome is PENDING:
                entry.outcome = Outcome(copy_of(error))
            entry.complete()
        for entry in refused:
            if self.queue and self.queue[0] is entry:
                del self.queue[0]

    def _execute(self, mine: Entry | None) -> None:
        with self.lock:
            if self.gate is not OPEN:
                self.enter()
            self._execute_all(mine)
        done, self.batch = self.batch, []
        if len(done) != 1 or done[0] is not mine:
            wake([entry for entry in done if entry is not mine])
        self.batches.add(perf_counter() - self._begun)

    def _execute_all(self, mine: Entry | None) -> None:
        for entry in self.batch:
            if entry.lsn > self.executed:
                self._execute_one(entry, mine)

    def _execute_one(self, entry: Entry, mine: Entry | None) -> None:
        if entry.flight is not None:  # stores only: either its own thread executes it, or it is left over
            self.beside.flights[entry.lsn], entry.outcome, self.executed, self.gate = entry.flight, TAKE_OFF, entry.lsn, SHARED
            self.executor.moment.time_us = entry.time_us
            return
        self.gate, interrupt = BUSY, None
        try:
            try:
                result = self._perform(entry.method, entry.args, entry.kwargs, entry.lsn, entry.time_us, entry.utc_offset)
            except BaseException as error:  # noqa: BLE001 - an interrupt of this thread, or the action's own doing: running it again tells
                interrupt = self._run_again(entry, mine, error)
            else:
                if type(result) is Outcome:
                    self.conclude(entry.lsn, result)
                entry.outcome = result
                del result  # as in Engine.call
            self.took(entry.lsn)
            self.gate = self.rest()
        except BaseException:
            if self.gate is BUSY:
                self.gate = LEFTOVER
                self.executor.ask()
            raise
        if interrupt is not None:
            raise interrupt

    def _run_again(self, entry: Entry, mine: Entry | None, error: BaseException) -> BaseException | None:
        """On memory made anew. Gives what must still be raised on this thread, though the action was another's."""
        result = self._rebuild(entry.lsn)
        if entry is mine or mine is UNREACHED:
            entry.outcome = Outcome(error)
        own = isinstance(error, MemoryError | RecursionError) or (type(result) is Outcome and type(result.error) is type(error))
        return None if own or mine is UNREACHED else error

    # --- what an interrupted leader leaves behind ----------------------------------------------------------------------

    def after_fork(self) -> None:
        """As Engine.after_fork."""
        super().after_fork()
        if not self.lead._is_owned():  # type: ignore[attr-defined]  # noqa: SLF001 - as for the lock
            self.lead._at_fork_reinit()  # type: ignore[attr-defined]  # noqa: SLF001

    @property
    def decided(self) -> int:
        """The last LSN that is on stable storage; while there is a batch the next one of it, for its leader executes the rest."""
        durable = self.journal.durable
        return min(durable, self.executed + 1) if self.batch else durable

    def resolved(self, lsn: int, result: object) -> None:
        """Tell whoever waits for it."""
        for entry in self.batch:
            if entry.lsn == lsn and entry.outcome is PENDING:
                entry.outcome = result


def up_to_beside(entries: list[Entry]) -> list[Entry]:
    """Nothing behind an `@unlocked` action: who waits for it to end must not stand in its batch."""
    beside = [number for number, entry in enumerate(entries, 1) if entry.flight is not None]
    return entries[: beside[0]] if beside else entries


def wake(entries: list[Entry]) -> None:
    """Wake the first, who wakes the second, and so on."""
    for entry, following in pairwise(entries):
        entry.next = following
        if entry.gone:  # it did not wait to be woken
            following.complete()
    for entry in entries[:1]:
        entry.complete()


def copy_of(error: CoopyError) -> CoopyError:
    """The same error for another caller: a traceback belongs to one."""
    return type(error)(str(error), **vars(error))
