"""Those who work for the tasks of one system: who leads their batches, who waits for the lock, who waits for the replicas.

    courier      leads the shared batch ("sync"): tasks queue up and go on with others; what is queued when it looks is one batch, with one sync
    desk         does what needs the state's lock while somebody has it, one after the other
    confirmer    waits until replicas have what was done (`min_acks`)

Each is one thread at most, however many tasks there are, and tells all of them at once (mail.py).
"""

from __future__ import annotations

import functools
from collections import deque
from typing import TYPE_CHECKING, Any

from coopy.action import Outcome
from coopy.aio.hand import Hand
from coopy.aio.mail import Waiting
from coopy.engine.commit import PENDING, copy_of
from coopy.engine.engine import NOTHING
from coopy.error import CoopyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.aio.mail import Mailbox
    from coopy.engine.commit import Entry, SharedEngine
    from coopy.engine.confirmed import ConfirmedEngine

__all__ = ["Confirmer", "Courier", "Desk", "Posted", "done"]


class Posted(Waiting):
    """An action that was queued up for a task. `entry`: in the engine, once it is there."""

    __slots__ = ("_courier", "entry")

    def __init__(self, mailbox: Mailbox, courier: Courier) -> None:
        super().__init__(mailbox)
        self._courier = courier
        self.entry: Entry | None = None

    def listen(self, entry: Entry) -> Callable[[], None]:
        """As SharedEngine.post says."""
        self.entry, entry.leave = entry, self.leave_it
        return self.look

    def hear(self) -> None:
        """As Waiting.hear. Nobody calls again who matters: this and the entry go with the call, and not when a garbage collector finds them."""
        super().hear()
        if self.entry is not None:
            self.entry.hear = self.entry.leave = None

    def take(self) -> object:
        """As Waiting.take."""
        if self.entry is not None:
            self.entry.outcome = NOTHING
        return super().take()

    def leave_it(self) -> Callable[[], None]:
        """As Entry says of `leave`."""
        assert self.entry is not None
        call = self.leave(self.entry.outcome)
        self._courier.untold.discard(self)  # last: as in look
        return call

    def look(self) -> None:
        """Have it led, or tell its outcome. May be called on any thread, and again."""
        entry = self.entry
        if entry is None or entry.outcome is PENDING:
            self._courier.wake()
        else:
            self.tell(entry.outcome)
            self._courier.untold.discard(self)  # last: whoever is interrupted before has it told again


class Courier:
    """Leads whenever nobody else does, as long as tasks wait. Whoever else leads, a thread that calls the system too, tells them just so.

    `untold`: who was not told yet.
    """

    def __init__(self, engine: SharedEngine) -> None:
        self._engine = engine
        self.untold: set[Posted] = set()
        hand = Hand("courier", self._lead)
        self.wake, self.end = hand.wake, hand.end

    def post(self, method: str, args: tuple[object, ...], kwargs: dict[str, object], posted: Posted) -> None:
        """Queue an action up; `posted` is told how it ended. Raises what is wrong with the call, and then it does not happen."""
        self.untold.add(posted)
        try:
            self._engine.post(method, args, kwargs, posted.listen)
        except BaseException:
            if posted.entry is None:
                self.untold.discard(posted)
            raise

    def _lead(self) -> bool:
        try:
            self._engine.lead_all()
        except BaseException as error:  # noqa: BLE001 - it is told to those who wait: they would wait for ever
            self._tell_all(error)
        self._tell_missed()
        return bool(self.untold)

    def _tell_all(self, error: BaseException) -> None:
        """What a thread that led would raise, and each that would have led after it."""
        for posted in [*self.untold]:
            self.untold.discard(posted)
            posted.tell(Outcome(copy_of(error) if isinstance(error, CoopyError) else error))

    def _tell_missed(self) -> None:
        """Whoever was to tell them was interrupted before."""
        for posted in [*self.untold]:
            if posted.entry is not None and posted.entry.outcome is not PENDING:
                posted.look()


class Desk:
    """Does work that waits for the lock, in the order in which it came."""

    def __init__(self) -> None:
        self._jobs: deque[tuple[Callable[[], Any], Waiting]] = deque()
        self._hand = Hand("desk", self._work_off)
        self.end = self._hand.end

    def put(self, work: Callable[[], Any], waiting: Waiting) -> None:
        """Have it done; `waiting` is told what it gave or raised. It is left out if nobody wants to know when its turn comes."""
        self._jobs.append((work, waiting))
        self._hand.wake()

    def _work_off(self) -> bool:
        while self._jobs:
            work, waiting = self._jobs.popleft()
            if not waiting.dropped:
                waiting.tell(done(work))
        return False


class Confirmer:
    """Waits for replicas, for all who came since it last began at once."""

    def __init__(self, engine: ConfirmedEngine) -> None:
        self._engine = engine
        self._asked: deque[tuple[int, Waiting]] = deque()
        self._hand = Hand("confirmer", self._confirm_all)
        self.end = self._hand.end

    def ask(self, lsn: int, waiting: Waiting) -> None:
        """`waiting` is told None when enough others have this action, or UnconfirmedError."""
        self._asked.append((lsn, waiting))
        self._hand.wake()

    def _confirm_all(self) -> bool:
        """Whoever has the last has all of them. Where it is not confirmed in time, some before it may be."""
        while self._asked:
            asked = sorted((self._asked.popleft() for _ in range(len(self._asked))), key=lambda one: one[0])
            last, waiting = asked.pop()
            outcome = done(functools.partial(self._engine.confirm, last))
            waiting.tell(outcome)
            for lsn, one in asked:
                one.tell(None if outcome is None else done(functools.partial(self._engine.confirm, lsn, 0)))
        return False


def done(work: Callable[[], Any]) -> object:
    """What it gives, or an Outcome of what it raised: for whoever waits on another thread."""
    try:
        return work()
    except BaseException as error:  # noqa: BLE001 - it is raised where it is awaited
        return Outcome(error)
