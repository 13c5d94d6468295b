"""What replicas answer while their primary changes all the time: histories are recorded, and a checker finds the LSN of every answer.

The model is the primary's history itself: the word grows by a letter a call, so the final word holds the state at every LSN.
"""

from __future__ import annotations

import random
import sys
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from coopy import control, init_system, readonly

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LETTERS = "abcdefgh"
WRITERS, READERS, ACTIONS = 4, 4, 300


class Ledger:
    """A word, kept three times: a state that is only half changed shows."""

    def __init__(self) -> None:
        self.text = ""
        self.counts: dict[str, int] = {}
        self.parts: list[str] = []

    def add(self, letter: str) -> int:
        """Gives the length, which is the LSN."""
        self.text += letter
        self.counts[letter] = self.counts.get(letter, 0) + 1
        self.parts.append(letter)
        return len(self.text)

    @readonly
    def look(self) -> tuple[str, dict[str, int], str]:
        return self.text, dict(self.counts), "".join(self.parts)


class Answer(NamedTuple):
    """What a reader got: the LSN that its token asked for, and what it saw."""

    asked: int
    text: str
    counts: dict[str, int]
    parts: str


@pytest.fixture(autouse=True)
def hurry() -> Iterator[None]:
    """Threads take turns a hundred times as often as usual."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(interval / 100)
    yield
    sys.setswitchinterval(interval)


def problem(answers: list[Answer], word: str) -> str:
    """What is wrong with a reader's answers, given the final word; empty if nothing is."""
    before = 0
    for number, one in enumerate(answers):
        lsn = len(one.text)
        if (one.text, one.counts, one.parts) != (word[:lsn], dict(Counter(word[:lsn])), word[:lsn]):
            return f"answer {number} is no state that ever was: {one}"
        if lsn < one.asked:
            return f"answer {number} shows LSN {lsn}, its token asked for LSN {one.asked}"
        if lsn < before:
            return f"answer {number} shows LSN {lsn}, the one before showed LSN {before}"
        before = lsn
    return ""


def write(primary: Any, seed: int, results: list[int]) -> None:
    dice = random.Random(seed)
    results += [primary.add(dice.choice(LETTERS)) for _ in range(ACTIONS)]


def read(primary: Any, replicas: list[Any], own: int, writing: threading.Event, answers: list[Answer]) -> None:
    """As a client does that wants to see on a replica what it has seen on the primary."""
    replica = replicas[own % len(replicas)]
    while writing.is_set() or not answers:
        asked = control(primary).lsn  # before the token, which may show more
        control(replica).wait_for(control(primary).token, 60)
        answers.append(Answer(asked, *replica.look()))


@pytest.mark.parametrize("durability", ["sync", "buffered"])
def test_every_answer_is_a_state_of_the_primary_not_older_than_its_token(tmp_path: Path, durability: Any) -> None:
    """Given four writers and four readers of two replicas, then every answer is that of one LSN, and none is too old."""
    primary = init_system(Ledger, tmp_path / "p", master=True, port=0, durability=durability, segment_bytes=16384)
    port = control(primary).address[1]
    replicas = [init_system(Ledger, tmp_path / name, replication=True, port=port) for name in "rs"]
    writing = threading.Event()
    writing.set()
    results: list[list[int]] = [[] for _ in range(WRITERS)]
    seen: list[list[Answer]] = [[] for _ in range(READERS)]
    readers = [threading.Thread(target=read, args=(primary, replicas, own, writing, seen[own])) for own in range(READERS)]
    writers = [threading.Thread(target=write, args=(primary, own, results[own])) for own in range(WRITERS)]
    for thread in (*readers, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    writing.clear()
    for thread in readers:
        thread.join()
    word = primary.text
    assert sorted(lsn for one in results for lsn in one) == list(range(1, WRITERS * ACTIONS + 1))
    assert [problem(answers, word) for answers in seen] == [""] * READERS
    assert sum(map(len, seen)) > READERS
    for replica in replicas:
        control(replica).wait_for(control(primary).token, 60)
        assert replica.look() == primary.look()
    for system in (*replicas, primary):
        control(system).close()


def test_the_checker_finds_what_it_is_for() -> None:
    """A state that never was, one too old, and one that goes back."""
    good = Answer(1, "ab", {"a": 1, "b": 1}, "ab")
    assert problem([good, good], "abc") == ""
    assert "no state that ever was" in problem([good._replace(counts={"a": 1})], "abc")
    assert "no state that ever was" in problem([good._replace(parts="a")], "abc")
    assert "token asked for LSN 3" in problem([good._replace(asked=3)], "abc")
    assert "the one before showed LSN 2" in problem([good, Answer(0, "a", {"a": 1}, "a")], "abc")
