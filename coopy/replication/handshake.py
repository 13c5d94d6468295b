"""What a primary answers to what a replica says it has. Pure: both are values, and the journal is asked through three questions.

nothing there (any more)                      the newest snapshot, then the frames behind it
its last record is one of ours, with its tag  the frames behind it
its last action is, but not what is behind    the frames behind that: it was the primary, and says no more of its own
of our history as far as we can tell, pruned  the newest snapshot, then the frames behind it
of a time before a promotion, and not ours    the newest snapshot: it is the former primary, or has what that one never
                                              shipped elsewhere; what it has goes to quarantine
else                                          refused: its data stay as they are. So it is where two were promoted apart and have
                                              one epoch: nothing but their histories tells them apart
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from coopy.header import Identity
    from coopy.replication.wire import Hello

__all__ = [
    "AHEAD",
    "AUTHENTICATION",
    "CLOSING",
    "DIVERGED",
    "FENCED",
    "GENERATION",
    "OTHER",
    "Answer",
    "History",
    "answer",
    "next_generation",
]

AUTHENTICATION = "authentication"  # the password was not proven
CLOSING = "closing"  # the primary goes, or the journal was pruned meanwhile: come again
OTHER = "other"  # another class or another system
AHEAD = "ahead"  # the replica has actions that the primary does not have
DIVERGED = "diverged"  # they share a past, and then each has its own
FENCED = "fenced"  # the replica knows a newer primary

APART = "two replicas were promoted apart. Keep one history; put the other's directories away and open them as new replicas"
GENERATION = 1 << 16  # openings count within a generation of epochs; a promotion begins the next


def next_generation(epoch: int) -> int:
    """The epoch of a promotion: above any that the former primary reaches by being opened again."""
    return (epoch // GENERATION + 1) * GENERATION


class History(Protocol):
    """What can be asked of the primary's journal."""

    identity: Identity
    epoch: int

    def last(self) -> int:
        """The last LSN on stable storage."""

    def first(self) -> int:
        """The first LSN that the journal still holds."""

    def holds(self, lsn: int, tag: bytes) -> bool:
        """Whether a record with this tag is what the journal ends with at this LSN, or a control record behind it. `lsn` is at least first() - 1."""


class Answer(msgspec.Struct, frozen=True):
    """`code`: empty where the replica is welcome; `snapshot`: whether it gets one first; `tag`: of the record behind which the frames begin, else."""

    code: str = ""
    text: str = ""
    snapshot: bool = False
    tag: bytes = b""


def answer(hello: Hello, history: History) -> Answer:
    """How to go on."""
    ours = history.identity
    if hello.domain != ours.domain and hello.system != ours.system:
        return Answer(OTHER, f"this primary has a {ours.domain}, the replica wants a {hello.domain}")
    if hello.system and hello.system != ours.system:
        return Answer(OTHER, "the replica's directory belongs to another system of that class: give the replica a directory of its own")
    known = max(hello.known, hello.epoch)
    if hello.system and known // GENERATION > history.epoch // GENERATION:
        return Answer(FENCED, f"the replica knows a newer primary (epoch {known}, here {history.epoch})")
    return _compared(hello, history) if hello.tag else Answer(snapshot=True)


def _compared(hello: Hello, history: History) -> Answer:
    """Both are of one system: is one's journal the beginning of the other's?"""
    before = history.first() - 1
    former = hello.epoch // GENERATION < history.epoch // GENERATION
    if hello.lsn > history.last() and not former:
        what = f"the replica has LSN {hello.lsn}, this primary has {history.last()}: it lost its tail, or is an older copy"
        return Answer(AHEAD, f"{what}, or {APART}" if _is_promoted(history) else what)
    for tag in (hello.tag, hello.action_tag):
        if tag and before <= hello.lsn <= history.last() and history.holds(hello.lsn, tag):
            return Answer(tag=tag)
    rival = hello.epoch > history.epoch  # no record here is of that epoch: what is there is certainly not of our history
    if former or (hello.lsn <= before and not rival):  # what came between its last record and our first is pruned: nobody can tell
        return Answer(snapshot=True)
    what = f"up to LSN {hello.lsn} the replica's history is not this primary's: each took actions that the other does not have"
    return Answer(DIVERGED, f"{what}, as {APART}" if _is_promoted(history) else what)


def _is_promoted(history: History) -> bool:
    """Whether this primary began as a replica: then another may have been promoted beside it, in the same epoch."""
    return history.epoch >= GENERATION
