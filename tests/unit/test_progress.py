"""Which messages of a shared journal were taken: each once, however often and in whatever order it comes."""

from __future__ import annotations

import random

import pytest

from coopy.engine import progress as module
from coopy.engine.progress import Progress
from coopy.error import CorruptionError
from coopy.journal.segment import Taken

A, B = b"a" * 16, b"b" * 16


class Stream:
    """Messages as they stand there, and what of them is taken."""

    def __init__(self) -> None:
        self.progress = Progress(Taken(1, b"", 0, 0, 0, 0))

    def put(self, node: bytes, counter: int, settled: int = 0) -> bool:
        """One more; gives whether it is to be executed."""
        is_new = counter > 0 and self.progress.is_new(node, counter)
        self.progress.take(Taken(self.progress.last.sequence + 1, node, counter, settled, 0, int(is_new)))
        return is_new


def test_each_message_of_a_writer_is_new_once() -> None:
    """In order, out of order, again."""
    stream = Stream()
    stream.put(A, 0)
    assert [stream.put(A, number) for number in (1, 2, 2, 4, 3, 4, 1, 3, 5)] == [True, True, False, True, True, False, False, False, True]
    assert stream.progress.values()[1] == [(A, 5, [])]


def test_one_that_was_refused_leaves_no_hole() -> None:
    """Its writer says that nothing comes any more up to there; then it is not taken either."""
    stream = Stream()
    stream.put(A, 0)
    assert [stream.put(A, number) for number in (1, 3, 4)] == [True] * 3
    assert stream.progress.values()[1] == [(A, 1, [3, 4])]
    assert stream.put(A, 5, settled=4)
    assert stream.progress.values()[1] == [(A, 5, [])]
    assert not stream.put(A, 2)


def test_a_writer_that_is_not_known_is_not_taken_from() -> None:
    """It begins with a message without calls, also where it does so twice."""
    stream = Stream()
    assert not stream.put(A, 1)
    stream.put(A, 0)
    assert stream.put(A, 1)
    stream.put(A, 0)
    assert not stream.put(A, 1)
    assert not stream.progress.knows(B)


def test_the_one_that_was_silent_for_longest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """When there are too many; it is not taken for a new one."""
    monkeypatch.setattr(module, "MOST_WRITERS", 2)
    stream = Stream()
    for node in (A, B):
        stream.put(node, 0)
        assert stream.put(node, 1)
    stream.put(A, 2)
    stream.put(b"c" * 16, 0)
    assert (stream.progress.knows(A), stream.progress.knows(B)) == (True, False)
    assert not stream.put(B, 2)
    assert stream.put(A, 3)


@pytest.mark.parametrize("seed", range(20))
def test_any_order_gives_each_once_and_forgets_what_is_settled(seed: int) -> None:
    """Several messages are under way, some are refused, many come again; a state is kept and read in between."""
    dice, stream, came, unknown, counter = random.Random(seed), Stream(), list[int](), dict[int, int](), 0
    stream.put(A, 0)
    for _ in range(300):
        if len(unknown) < 4 and counter - min(unknown, default=counter) < 8:
            settled, counter = min(unknown, default=counter + 1) - 1, counter + 1
            unknown[counter] = settled
        number = dice.choice([*unknown])
        if dice.random() < 0.1:
            unknown.pop(number)
            continue
        if stream.put(A, number, unknown[number]):
            came.append(number)
        if dice.random() < 0.7:
            unknown.pop(number)
        if dice.random() < 0.2:
            stream.progress = Progress.of(stream.progress.values())
    assert len(came) == len({*came})
    assert len(stream.progress.values()[1][0][2]) <= 8


def test_places_grow_from_stream_to_stream() -> None:
    """What records say that a state holds already is not taken again, whatever its number there was."""
    stream = Stream()
    stream.put(A, 0)
    later = Taken(1, b"", 0, 0, 0, 0, 2)
    stream.progress.take_all([Taken(900, A, 1, 0, 0, 1), later, Taken(901, A, 2, 0, 0, 1), Taken(2, A, 3, 0, 1, 1, 2)])
    assert stream.progress.last.place == (2, 2)
    assert [stream.progress.is_new(A, number) for number in (1, 2, 3)] == [False, True, False]
    assert Progress.of(stream.progress.values()).last.place == (2, 2)


def test_what_a_state_holds_of_it_is_read_back_and_anything_else_is_damage() -> None:
    """With the last message, of which a crash may have cut off calls."""
    stream = Stream()
    stream.put(A, 0)
    stream.progress.take(Taken(3, A, 2, 0, 10, 5))
    again = Progress.of(stream.progress.values())
    assert again.values() == stream.progress.values()
    assert [again.missing(lsn) for lsn in (10, 12, 15)] == [5, 3, 0]
    for wrong in (None, [], [1, 2], ["x", []], [[1, A, 2, 0, 10], []], [[1, A, 2, 0, 10, 5], [(1, 2, 3)]]):
        with pytest.raises(CorruptionError, match="cannot be read"):
            Progress.of(wrong)
