"""How far a node has come in a shared journal: the last message it took, and of each writer which messages those were.

A message may stand in the shared journal more than once, for who does not hear what became of it publishes it again. Its number (`counter`, from
1, of one opening of one node) tells that it was taken before:

    high      all numbers up to this one were taken, or will never be
    above     those beyond it that were taken: as many as a writer has under way at once

A writer says with each message up to which number it knows what became of them (`settled`); so one that was refused leaves no hole for ever. It
is known from its first message on, which holds no actions (number 0); one that is not known is not taken from. So it is safe to forget: when
there are too many, the one that has been silent for longest goes, and should it still be there after all, its node hears of it.

All nodes take the same messages in the same order, so this is the same on all of them, and a part of the state: it stands in snapshots beside
the domain object, and between two of them in the records of the journal. Only taking changes it.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import msgspec

from coopy.error import CorruptionError
from coopy.journal.segment import Taken

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["MOST_WRITERS", "Progress"]

MOST_WRITERS = 4096


class _Writer(msgspec.Struct, array_like=True):
    high: int = 0
    above: list[int] = []


class _Kept(msgspec.Struct, array_like=True):
    """What a state holds of it."""

    last: Taken
    writers: list[tuple[bytes, int, list[int]]]


class Progress:
    """`last`: what the journal says of the last message that was taken, or is being taken."""

    def __init__(self, last: Taken) -> None:
        self.last = last
        self._writers: OrderedDict[bytes, _Writer] = OrderedDict()

    def knows(self, node: bytes) -> bool:
        """Whether this writer has begun, and was not forgotten."""
        return node in self._writers

    def is_new(self, node: bytes, counter: int) -> bool:
        """Whether this message of a writer is to be taken: it is known, and the message was not taken before."""
        writer = self._writers.get(node)
        return writer is not None and counter > writer.high and counter not in writer.above

    def take(self, taken: Taken) -> None:
        """A message was taken, or passed over because it was before."""
        self.last = taken
        if not taken.node:
            return
        if taken.counter == 0:
            self._writers.setdefault(taken.node, _Writer())
        writer = self._writers.get(taken.node)
        if writer is None:
            return
        self._writers.move_to_end(taken.node)
        if taken.counter == writer.high + 1 and not writer.above:  # the common case
            writer.high = taken.counter
        else:
            _settle(writer, taken)
        if len(self._writers) > MOST_WRITERS:
            self._writers.popitem(last=False)

    def take_all(self, all_taken: Iterable[Taken]) -> None:
        """What records of the journal say, behind the state that this came with; some may be in that already."""
        for taken in all_taken:
            if taken.place > self.last.place:
                self.take(taken)

    def is_next(self, generation: int, sequence: int) -> bool:
        """Whether a message at this place follows on the last: the next of its stream, or the first of the stream behind that, which was sealed."""
        at, last = self.last.place
        return (generation, sequence) in {(at, last + 1), (at + 1, 1)}

    def missing(self, lsn: int) -> int:
        """How many actions of the last message are not in a journal that ends with this LSN. A crash may have cut it off within."""
        return self.last.after + self.last.calls - lsn

    # --- in a state ----------------------------------------------------------------------------------------------------

    def values(self) -> list[Any]:
        """What a state holds of it."""
        return [msgspec.structs.astuple(self.last), [(node, one.high, list(one.above)) for node, one in self._writers.items()]]

    @classmethod
    def of(cls, values: Any) -> Progress:
        """From what a state holds. Raises CorruptionError for anything else."""
        try:
            kept = msgspec.convert(values, _Kept)
        except msgspec.ValidationError as error:
            raise CorruptionError(f"How far the shared journal was taken cannot be read: {error}. No file was changed.") from error
        found = cls(kept.last)
        found._writers.update((node, _Writer(high, above)) for node, high, above in kept.writers)
        return found


def _settle(writer: _Writer, taken: Taken) -> None:
    """One out of order: what is complete up to somewhere is one number again."""
    above = {*writer.above, taken.counter}
    high = max(writer.high, taken.settled)
    while high + 1 in above:
        high += 1
    writer.high, writer.above = high, sorted(one for one in above if one > high)
