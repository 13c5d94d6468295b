"""Whether the next may enter, in one word. The state's lock guards who changes it.

OPEN -> BUSY -> OPEN      an action or a query
SHARED                    open, while `@unlocked` actions run: who enters looks first whether one was interrupted
BUSY -> LEFTOVER          it was interrupted: the next entrant finishes what it left behind
FAILED, BROKEN, CLOSED    for good: the disk failed, memory could not be rebuilt, or it was closed
FORKED                    in a forked child: it may read
TORN                      the same, where it was forked while a call ran: what it holds is not whole
"""

from __future__ import annotations

__all__ = ["BROKEN", "BUSY", "CLOSED", "FAILED", "FORKED", "IN_CHILD", "LEFTOVER", "OPEN", "SHARED", "TORN", "Gate"]


class Gate:
    """One of the words below. `readable`: memory is as the journal says, so queries go on."""

    __slots__ = ("name", "readable")

    def __init__(self, name: str, *, readable: bool) -> None:
        self.name, self.readable = name, readable


OPEN = Gate("open", readable=True)
SHARED = Gate("shared", readable=True)
BUSY = Gate("busy", readable=True)  # seen under the lock, so by the thread that made it busy
LEFTOVER = Gate("left over", readable=False)
CLOSED = Gate("closed", readable=False)
FAILED = Gate("failed", readable=True)
BROKEN = Gate("broken", readable=False)
FORKED = Gate("forked", readable=True)
TORN = Gate("torn", readable=False)
IN_CHILD = FORKED, TORN
