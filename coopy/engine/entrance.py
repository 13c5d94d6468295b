"""Who may enter a running system, and what those hear who may not.

The gate (gate.py) says in one word whether the next may; whoever finds it not open finishes first what was left over. Where that is not enough,
`refusal` says why. What must never happen here: a thread that waits for what it holds itself, or an action inside of an action.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from coopy.clock import moment, running
from coopy.engine.gate import BROKEN, BUSY, CLOSED, FAILED, FORKED, OPEN, SHARED, TORN
from coopy.error import ClosedError, ReplicaError, UsageError
from coopy.logs import logger
from coopy.measured import Trouble

if TYPE_CHECKING:
    from coopy.engine.gate import Gate

__all__ = ["Entrance", "inside", "moment_of"]

log = logger()
moment_of = moment.get


class Entrance:
    """`lock` guards the state and `gate`; `stale`: memory holds something that the journal does not say."""

    name = "A system"  # how it is called where it says something: its directory
    opener = "init_system"  # what opens it again, in the words of whoever uses it

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.gate: Gate = OPEN
        self.final: Gate | None = None  # where the gate stays, whatever an interrupted thread stores there meanwhile
        self.reason: BaseException | None = None  # why it is FAILED or BROKEN
        self.stale = False
        self.ended: Trouble | None = None  # why it takes no more actions

    def enter(self) -> None:
        """The gate is not open: finish what was left over, or say why not."""
        self.gate = self.final or self.gate
        self.finish_leftover()
        if self.gate is not OPEN and self.gate is not SHARED:
            raise self.refusal()

    def enter_to_read(self) -> None:
        """The same for a query."""
        self.gate = self.final or self.gate
        self.finish_leftover()
        if not self.gate.readable or (self.gate is BUSY and self.stale):
            raise self.refusal()

    def finish_leftover(self) -> None:
        """Under the lock: have memory say what the journal says, if anybody was interrupted. May be repeated."""
        raise NotImplementedError

    def refusal(self) -> BaseException:
        """Why the gate does not open."""
        if self.gate is BUSY:
            return inside()
        if self.gate is TORN:
            what = "This process was forked from the one that owns the system while a call ran there: what it holds of it is not whole."
            return ClosedError(f"{what} Nothing was recorded. Call it in the parent, or open it in the process that uses it.")
        if self.gate is FORKED:
            return ClosedError(
                "This process was forked from the one that owns the system: it may read, not call actions. Call them in the parent."
            )
        if self.gate is CLOSED:
            return self.closed()
        if isinstance(self.reason, ReplicaError):
            return ReplicaError(str(self.reason), **vars(self.reason))
        why = str(self.reason) or f"{type(self.reason).__name__}."
        return ClosedError(f"The system closed itself: {why} Open it again with {self.opener}.")

    def closed(self) -> ClosedError:
        """That somebody closed it."""
        return ClosedError(f"The system is closed: open it again with {self.opener}.")

    def check_writable(self, what: str) -> None:
        """Raises ReplicaError on a replica."""

    def refuse_inside(self, what: str) -> None:
        """Raises UsageError where this thread is inside of the system already: whoever it would wait for waits for it."""
        if moment_of() is not None:
            self.refuse_nested(what)
        if self.lock._is_owned():  # type: ignore[attr-defined]  # noqa: SLF001 - what threading.Condition asks, too
            raise inside()

    def refuse_nested(self, what: str) -> None:
        """Something stands in `moment`. If it is an action, that is to be undone, even if it swallows this error; a key may stand there."""
        now = running()
        if now is None:
            return
        now.tainted = True
        raise UsageError(
            f"{what} was called through a coopy proxy inside of an action. Inside of the domain, call methods on self: a restart has no proxy to call."
        )

    def end(self, gate: Gate, reason: BaseException | None = None) -> None:
        """No more actions, for good."""
        self.shut(gate, reason)
        if (gate is FAILED or gate is BROKEN) and self.ended is not None:
            log.error("%s takes no more actions: %s", self.name, self.ended.message)

    def shut(self, gate: Gate, reason: BaseException | None = None) -> None:
        """As `end`, where nothing went wrong that somebody should read of: a forked child is not the system."""
        self.final, self.gate, self.reason = gate, gate, reason
        if gate is FAILED or gate is BROKEN:
            assert reason is not None
            self.ended = Trouble.now(reason)

    def after_fork(self) -> None:
        """In a forked child: locks that other threads of the parent held are nobody's here; one that this thread holds it gives back itself."""
        if not self.lock._is_owned():  # type: ignore[attr-defined]  # noqa: SLF001 - what threading.Condition asks, too
            self.lock._at_fork_reinit()  # type: ignore[attr-defined]  # noqa: SLF001 - what threading's own locks do after a fork


def inside() -> UsageError:
    """A query, a finalizer or a signal handler called an action while this thread holds its system."""
    return UsageError(
        "A proxy was called while this thread was inside of its system (a query, a finalizer or a signal handler). Nothing was recorded."
    )
