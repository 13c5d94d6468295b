"""An engine whose actions come in an order that somebody else decides: a node of a cluster. It knows nothing of who that is.

    call     encode -> offer -> wait until it has come back in its place in the order, and was executed here
    take     messages in their order, each some calls of one node: append to this node's own journal -> execute -> answer those that are of this one

The order makes an action durable, so this node's own journal is only written and synced later: what a power loss cuts off comes again from the
order. LSN, time and random numbers of an action follow from its place and from what its caller's node stamped, alike on all nodes.

`lead` comes before `lock`, as in commit.py. Taking belongs to the lead, and to one thread, which no signal reaches: whatever an action raises
there is its own doing.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from coopy.engine.beside import WAKE
from coopy.engine.commit import PENDING, UNREACHED, Entry, SharedEngine, wake
from coopy.engine.engine import QUARTER
from coopy.engine.entrance import moment_of
from coopy.engine.execute import UnknownMethodError
from coopy.engine.gate import BUSY, FAILED, OPEN
from coopy.engine.keyed import refuse_beside
from coopy.engine.once import action_of
from coopy.engine.settled import is_to_settle
from coopy.error import ClusterError, CoopyError, CorruptionError, DiskFullError, DivergenceError, UpgradeError
from coopy.journal.frame import Kind, original
from coopy.journal.segment import Taken

if TYPE_CHECKING:
    from _thread import LockType
    from collections.abc import Callable

    from coopy.engine.progress import Progress

__all__ = ["SLICE", "Message", "OrderedEngine"]

T = TypeVar("T")

SLICE = 256  # actions executed before a query may come in


class Message(msgspec.Struct, frozen=True):
    """One message of the order, in the stream of a `generation`.

    `calls`: word and payload of each, as `stored` gave them; `own`: their entries, where they are of this node.
    `node`, `counter`, `settled`: as Progress says. `time_us`, `utc_offset`: when its node sent it, by its clock and zone.
    """

    sequence: int
    node: bytes
    counter: int
    settled: int
    time_us: int
    utc_offset: int
    calls: Sequence[tuple[bytes, bytes]]
    own: Sequence[Entry] | None = None
    generation: int = 1


class OrderedEngine(SharedEngine):
    """`offer(entry)` has an entry ordered; it raises what keeps it from that, and then the call does not happen.

    `barrier()` returns when all that was ordered before is executed here.
    """

    ordered = True
    offer: Callable[[Entry], None]
    barrier: Callable[[], object]
    progress: Progress
    left_out: frozenset[int] = frozenset()  # LSNs of actions that are not executed: what was executed before is as it is

    def begin(self, progress: Progress) -> None:
        """What a node has beside what any engine has."""
        self.progress = progress
        self.offer = _not_yet

    # --- calls ---------------------------------------------------------------------------------------------------------

    def call_beside(self, method: str, args: tuple[object, ...], kwargs: dict[str, object]) -> Any:
        """An `@unlocked` action takes its place in the order like any other, under the lock."""
        if moment_of() is not None:
            self.refuse_nested(method)
            refuse_beside(method)
        return self.call(method, args, kwargs)

    def post(self, method: str, args: tuple[object, ...], kwargs: dict[str, object], listen: Callable[[Entry], Callable[[], None]]) -> None:
        """As SharedEngine.post. Nobody has to lead."""
        entry = self._entry(method, args, kwargs)
        entry.gone = True
        entry.hear = listen(entry)
        self._hand_over(entry)

    def lead_all(self) -> None:
        """As SharedEngine.lead_all: whoever takes what is ordered leads."""

    def _take_part(self, entry: Entry) -> None:
        signal = entry.begin_to_wait()
        try:
            self._hand_over(entry)
            _wait(entry, signal)
        finally:
            entry.pass_on()

    def _hand_over(self, entry: Entry) -> None:
        if self.final is not None:
            raise self.refusal()  # in a forked child, too: whoever would take it was not forked
        self.offer(entry)

    def _drain(self) -> None:
        """Whoever has the lead finds whole messages taken."""

    def refusal(self) -> BaseException:
        """As Engine.refusal; what stopped a node is told as it is."""
        if self.gate is not BUSY and self.final is FAILED and isinstance(self.reason, ClusterError | DivergenceError):
            kind = ClusterError if isinstance(self.reason, ClusterError) else DivergenceError
            return kind(str(self.reason), **vars(self.reason))
        return super().refusal()

    def stamp(self) -> tuple[int, int]:
        """The time in microseconds and the local zone's offset, for calls that are sent now. One thread asks. No time is before 1970, as in a journal."""
        now = self.wall() // 1000
        if not self.zone_ends - QUARTER <= now < self.zone_ends:
            self.look_up_zone(now)
        return max(now, 1), self.utc_offset

    # --- queries -------------------------------------------------------------------------------------------------------

    def read(self, function: Callable[..., object], /, *args: object, **kwargs: object) -> Any:
        """As Engine.read, of what is here; in the block of `linearizable`, of all that was acknowledged before."""
        if self.must_settle():
            self.settle()
        return super().read(function, *args, **kwargs)

    def read_beside(self, function: Callable[..., object], /, *args: object, **kwargs: object) -> Any:
        """As Engine.read_beside; the same."""
        if self.must_settle():
            self.settle()
        return super().read_beside(function, *args, **kwargs)

    def must_settle(self) -> bool:
        """As Engine.must_settle. A query within a query sees what that does."""
        return moment_of() is not None and is_to_settle(self) and not self.lock._is_owned()  # type: ignore[attr-defined]  # noqa: SLF001 - as refuse_inside

    def settle(self) -> object:
        """As Engine.settle. Raises ClusterError, UnconfirmedError."""
        return self.barrier()

    # --- what comes ----------------------------------------------------------------------------------------------------

    def take(self, messages: Sequence[Message]) -> None:
        """Take messages that follow on the last one. Only on the thread that takes; those who wait for own ones have their outcomes.

        Raises ClusterError where one does not follow, or is of another program; DiskFullError, DurabilityError, DivergenceError, ClosedError. What
        was taken before stays so. Whoever calls it says `stop_for` then.
        """
        with self.lead:
            try:
                self._take_each(messages)
            except DiskFullError as error:
                what = f"There is no room for {error.needed:,} bytes in {error.path}, so the node took no more behind message {self.progress.last.sequence}"
                raise DiskFullError(f"{what} of the shared journal. What it has is intact. Make room.", **vars(error)) from error

    def go_on_behind_seal(self, generation: int) -> None:
        """The stream was sealed, and that of this generation follows, whose first message is known. It is on stable storage when this returns.

        Only on the thread that takes. Raises as `take`.
        """
        with self.lead:
            self._take(Message(1, b"", 0, 0, 0, 0, (), generation=generation))
            with self.lock:
                self._enter_to_take()
                self.journal.flush()
                self.journal.sync()

    def apart(self, work: Callable[[object], T]) -> tuple[int, T]:
        """Do something short with the state as it is after all that was taken. Only on the thread that takes. Gives the LSN, too."""
        with self.lead, self.lock:
            self._enter_to_take()
            return self.executed, work(self.executor.root)

    def stop_for(self, error: CoopyError) -> None:
        """Take no more, for good. Queries go on, unless memory is in doubt."""
        with self.lock:
            if self.final is None:
                self.end(FAILED, error)

    def _take_each(self, messages: Sequence[Message]) -> None:
        for message in messages:
            self._take(message)

    def _take(self, message: Message) -> None:
        last = self.progress.last
        if (message.generation, message.sequence) == last.place:
            missing = self.progress.missing(self.journal.lsn)
            self._go_on(message, self._entries(message, last.after)[len(message.calls) - missing :])
            return
        if not self.progress.is_next(message.generation, message.sequence):
            what = f"Message {message.sequence} of the shared journal came behind {last.sequence}: what is between is missing. Nothing of it was taken."
            raise ClusterError(what, sequence=last.sequence + 1)
        begins = message.counter == 0
        entries = [] if begins or not self.progress.is_new(message.node, message.counter) else self._entries(message, self.journal.lsn)
        taken = Taken(message.sequence, message.node, message.counter, message.settled, self.journal.lsn, len(entries), message.generation)
        with self.lock:
            self._enter_to_take()
            if self.journal.end >= self.journal.limit and self.journal.lsn >= self.journal.first_lsn:
                self.rotate()
            self.journal.note(Kind.TAKEN, taken)
            self.progress.take(taken)
        self._go_on(message, entries)

    def _go_on(self, message: Message, entries: list[Entry]) -> None:
        if not entries:
            return
        with self.lock:
            self._enter_to_take()
            self._keep(message, entries)
        begun = perf_counter()
        for start in range(0, len(entries), SLICE):
            self._execute_slice(entries[start : start + SLICE])
        self.batch = []
        self.batches.add(perf_counter() - begun)
        if message.own is not None:
            _tell(entries)

    def _enter_to_take(self) -> None:
        if self.gate is not OPEN:
            self.enter()

    def _entries(self, message: Message, after: int) -> list[Entry]:
        """The calls of a message behind this LSN, each as it runs. Raises ClusterError for what this node's program does not know, before any is kept.

        Of one that is left out, nobody needs to know what it was.
        """
        if message.own is not None:
            return list(message.own)
        left_out = self.left_out
        try:
            return [
                Entry("", (), {}, word, payload) if lsn in left_out else self._entry_of(word, payload)
                for lsn, (word, payload) in enumerate(message.calls, after + 1)
            ]
        except (UnknownMethodError, UpgradeError, CorruptionError) as error:
            what = f"Message {message.sequence} of the shared journal holds a call that this node's program cannot run: {error} Nothing of it was taken"
            raise ClusterError(
                f"{what}, and nothing is lost. Bring the program here to the other nodes' version, and open the directory again.",
                sequence=message.sequence,
            ) from error

    def _entry_of(self, word: bytes, payload: bytes) -> Entry:
        method, args, kwargs = self.codec.decode(word[2], original(word[3], payload) if word[3] else payload)
        self.executor.methods[action_of(method, args)]  # raises UnknownMethodError
        return Entry(method, tuple(args), kwargs, word, payload)

    def _keep(self, message: Message, entries: list[Entry]) -> None:
        """Stamp and append them. No interrupt comes here; what cannot be written is not taken."""
        lsn, time_us, offset = self.journal.lsn, self.journal.time_us, message.utc_offset
        for entry in entries:
            lsn += 1
            time_us = max(message.time_us, time_us + 1)
            entry.lsn, entry.time_us, entry.utc_offset = lsn, time_us, offset
        self.journal.append_all(entries)
        self.batch = entries

    def _execute_slice(self, entries: list[Entry]) -> None:
        """Under the lock. Whoever reads sees the state after one action or another, never half of one."""
        with self.lock:
            self._enter_to_take()
            self._execute_each(entries)

    def _execute_each(self, entries: list[Entry]) -> None:
        for entry in entries:
            if entry.lsn <= self.executed:
                continue
            if entry.lsn in self.left_out:
                entry.outcome = None
                self.took(entry.lsn)
            else:
                self._execute_one(entry, UNREACHED)

    # --- memory --------------------------------------------------------------------------------------------------------

    @property
    def decided(self) -> int:
        """The last LSN that is in this node's journal; while a message is being executed the next one of it."""
        return min(self.journal.lsn, self.executed + 1) if self.batch else self.journal.lsn

    def _rebuild_here(self, last: int, result: object) -> object:
        """As Engine._rebuild_here. What was taken does not depend on what memory holds."""
        result = super()._rebuild_here(last, result)
        self.executor.keys.progress = self.progress
        return result


def _tell(entries: list[Entry]) -> None:
    """Wake all who wait. Those of one loop hear together: woken after the first, it would send that one's next call before the others have theirs."""
    for call in {leave() for entry in entries if (leave := entry.leave) is not None}:
        call()
    wake([entry for entry in entries if entry.leave is None])


def _wait(entry: Entry, signal: LockType) -> None:
    """Until it has an outcome."""
    while entry.outcome is PENDING:
        signal.acquire(timeout=WAKE)


def _not_yet(_entry: Entry) -> None:
    raise ClusterError("The node has not begun yet: nothing was recorded.")
