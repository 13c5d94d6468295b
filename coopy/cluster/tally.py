"""What the nodes say of one place in the stream, and what follows from it. Pure: all nodes hear the same in the same order, and come to the same.

Counted are the nodes that were there when somebody asked; another one only hears whether it is like them. Where more than half of those counted say one
thing, that is the state, and who says otherwise is wrong. Where all have spoken and there is no such half, nobody knows who is right: all are stopped.
Until then nothing follows, also where a node that was asked never answers.

Classes that once had other names may stand in a digest by either, as a node's program has it. So where a program has such, its digests are compared
only with those of the same source.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from coopy.cluster.message import Digest, Due

__all__ = ["Compared", "Tally"]


class Compared(msgspec.Struct, frozen=True):
    """So many nodes have the same state after the action with this LSN. `digest`: of that state."""

    lsn: int
    digest: str
    nodes: int


class Tally:
    """Of one comparison. `asked`: the nodes that count."""

    def __init__(self, due: Due) -> None:
        self.mark, self.asked = due.mark, frozenset(due.nodes)
        self._said: dict[bytes, Digest] = {}

    def hear(self, digest: Digest) -> None:
        """What a node says; only its first word counts."""
        self._said.setdefault(digest.node, digest)

    def own(self, node: bytes) -> Digest | None:
        """What this node said, if it did."""
        return self._said.get(node)

    @property
    def missing(self) -> int:
        """How many of those asked have not spoken."""
        return len(self.asked - self._said.keys())

    def otherwise(self, own: Digest) -> Digest | None:
        """Who proves that this one is wrong, or that nobody knows who is right; None where nobody does (yet)."""
        comparable = self._comparable(own)
        others = [one for one in comparable if _state(one) != _state(own)]
        most, count = self._most(comparable)
        if count * 2 > len(comparable) + self.missing:
            return next((one for one in others if _state(one) == most), None)
        return others[0] if others and not self.missing else None

    def differing(self, own: Digest) -> Digest | None:
        """Anybody who says otherwise, whoever is right."""
        return next((one for one in self._comparable(own) if _state(one) != _state(own)), None)

    def agreed(self, own: Digest) -> bool:
        """Whether more than half say the same as this one."""
        comparable = self._comparable(own)
        most, count = self._most(comparable)
        return count * 2 > len(comparable) + self.missing and most == _state(own)

    def unlike(self, own: Digest) -> int:
        """How many of those asked cannot be compared with this one."""
        return len(self.asked & self._said.keys()) - len(self._comparable(own))

    def compared(self, own: Digest) -> Compared:
        """What can be said where nobody says otherwise."""
        return Compared(own.lsn, own.digest.hex(), len(self._comparable(own)))

    def _comparable(self, own: Digest) -> list[Digest]:
        return [one for node, one in self._said.items() if node in self.asked and one.former == own.former]

    def _most(self, comparable: list[Digest]) -> tuple[tuple[int, bytes], int]:
        states = Counter(map(_state, comparable))
        return states.most_common(1)[0] if states else ((0, b""), 0)


def _state(digest: Digest) -> tuple[int, bytes]:
    return digest.lsn, digest.digest
