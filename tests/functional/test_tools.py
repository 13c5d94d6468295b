"""The clock and the random numbers that a domain object gets: it keeps them whatever its methods do to its attributes, and so do copies of it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from coopy import abort_exception, control, init_system
from coopy.error import NotSerializableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.parametrize("durability", ["sync", "buffered"])


class Word:
    """A word that can start anew, and go back to what it was."""

    def __init__(self) -> None:
        self.text = ""
        self.before: list[Any] = []

    def add(self, letter: str) -> str:
        self.text += letter
        return self.text

    def date(self) -> str:
        """Add a year, and a digit that is drawn."""
        self.text += f"{self._clock.now():%Y}{self._random.randrange(10)}"
        return self.text

    def clear(self) -> None:
        vars(self).clear()
        self.text, self.before = "", []

    def replace(self) -> None:
        self.__dict__ = {"text": "", "before": []}

    def lose_one(self) -> None:
        del self._random

    def clear_and_raise(self) -> None:
        self.clear()
        raise ValueError(self.text)

    @abort_exception
    def clear_in_vain(self) -> None:
        self.clear()
        raise ValueError(self.text)

    def name(self, name: str) -> None:
        """Another attribute; the text becomes the names of all."""
        setattr(self, name, "")
        self.text = " ".join(vars(self))

    def keep(self) -> None:
        self.before.append(copy.copy(self))

    def keep_all(self) -> None:
        self.before.append(copy.deepcopy(self))

    def keep_attributes(self) -> None:
        self.before.append(copy.deepcopy(vars(self)))

    def date_before(self) -> str:
        """What a kept one does with its own clock is its own."""
        kept: Word = self.before[-1]
        kept.date()
        return kept.text

    def put(self, other: Holder) -> str:
        """One more before."""
        self.before.append(other)
        return str(other.word.text)


class Holder:
    """Leads to a word."""

    def __init__(self, word: Any) -> None:
        self.word = word


@pytest.fixture
def word(tmp_path: Path, durability: Any) -> Iterator[Any]:
    """A word in a system, which a restart gives again as it was left."""
    with control(init_system(Word, tmp_path / "w", durability=durability, validation="off")) as word:
        yield word
        left = word.text, control(word).digest()
    with control(init_system(Word, tmp_path / "w", durability=durability, validation="off")) as word:
        assert (word.text, control(word).digest()) == left


@pytest.mark.parametrize("lose", ["clear", "replace", "lose_one"])
def test_an_action_that_takes_them_away_does_so_until_it_ends(word: Any, lose: str) -> None:
    """Given a snapshot behind it, then a call after that does in a restart what it did."""
    word.date()
    getattr(word, lose)()
    control(word).take_snapshot()
    assert word.date()


def test_an_action_that_takes_them_away_and_raises_does_so_until_it_ends(word: Any) -> None:
    """Likewise, whether what it did stays or is undone."""
    word.add("a")
    with pytest.raises(ValueError, match=r"^$"):
        word.clear_and_raise()
    control(word).take_snapshot()
    word.date()
    with pytest.raises(ValueError, match=r"^$"):
        word.clear_in_vain()
    control(word).take_snapshot()
    assert word.date()


def test_attributes_keep_their_order_over_a_snapshot(word: Any) -> None:
    """An action that iterates over them sees coopy's at the same place."""
    word.name("a")
    control(word).take_snapshot()
    word.name("b")
    assert word.text == "_clock _random text before a b"


@pytest.mark.parametrize("keep", ["keep", "keep_all", "keep_attributes"])
def test_a_copy_of_the_domain_object_in_its_state_is_in_snapshots(word: Any, keep: str) -> None:
    """As an undo is made of."""
    for _ in range(2):
        word.add("a")
        getattr(word, keep)()
        control(word).take_snapshot()
    assert len(word.before) == 2


def test_a_copy_of_the_domain_object_has_time_and_chance_after_a_restart(word: Any) -> None:
    """The action's."""
    word.keep_all()
    control(word).take_snapshot()
    assert len(word.date_before()) == len("20261")


def test_an_argument_that_leads_to_the_domain_object_is_refused_for_that_reason(word: Any) -> None:
    """The error does not speak of clocks only."""
    word.keep_all()
    with pytest.raises(NotSerializableError, match=r"argument 1 .* leads to the domain object or to a copy of it"):
        word.put(Holder(word.before[0]))
    assert len(word.before) == 1
