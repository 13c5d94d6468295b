"""Who wakes whom when a batch is done: each the next."""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING

import pytest

from coopy import control, init_system
from coopy.engine.commit import PENDING, Entry, SharedEngine, wake
from coopy.wiring import engine_of
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Sleepers:
    """Entries whose threads wait, as numbers, but for those who have `gone` already. `waiting`: who was woken and has not run yet."""

    def __init__(self, count: int, gone: tuple[int, ...] = ()) -> None:
        self.entries = [Entry("add", (), {}, b"", b"") for _ in range(count)]
        self.waiting: list[int] = []
        for number, entry in enumerate(self.entries):
            entry.hear = functools.partial(self._rouse, number)
        self._gone = frozenset(gone)
        for number in gone:
            self.entries[number].pass_on()

    def _rouse(self, number: int) -> None:
        if number not in self._gone:
            self.waiting.append(number)

    def wake_up(self) -> list[int]:
        """Let threads run that were woken, one after the other, until none is left. Gives who ran."""
        ran: list[int] = []
        while self.waiting:
            ran.append(self.waiting.pop(0))
            self.entries[ran[-1]].pass_on()
        return ran


@pytest.mark.parametrize("count", range(12))
def test_everybody_is_woken_once(count: int) -> None:
    """The leader wakes the first, whoever is awake the next."""
    sleepers = Sleepers(count)
    wake(sleepers.entries)
    assert sleepers.waiting == list(range(min(count, 1)))
    assert sleepers.wake_up() == list(range(count))


@pytest.mark.parametrize("gone", [one for size in (1, 2, 3) for one in itertools.combinations(range(7), size)])
def test_whoever_was_not_asleep_keeps_nobody_asleep(gone: tuple[int, ...]) -> None:
    """A thread that looked by itself and went on, before it could be told whom to wake, is stood in for."""
    sleepers = Sleepers(7, gone)
    wake(sleepers.entries)
    assert set(sleepers.wake_up()) | set(gone) == set(range(7))


def test_waking_twice_is_waking_once() -> None:
    """Whoever leads next may be woken by two who do not know of each other."""
    entry = Entry("add", (), {}, b"", b"")
    entry.complete()  # nobody waits yet
    wake = entry.begin_to_wait()
    entry.complete()
    entry.complete()
    assert wake.acquire(blocking=False)
    assert not wake.acquire(blocking=False)


def test_whoever_has_no_thread_is_told_by_who_leads(tmp_path: Path) -> None:
    """First that somebody is to lead, then how it ended; each, whoever comes before it."""
    told: list[object] = []

    def listen(entry: Entry) -> Callable[[], None]:
        return lambda: told.append(entry.outcome)

    with control(init_system(Word, tmp_path / "w")) as word:
        engine = engine_of(word)
        assert isinstance(engine, SharedEngine)
        for letter in "abc":
            engine.post("add", (letter,), {}, listen)
        assert told == [PENDING] * 3
        engine.lead_all()
        assert sorted(map(str, told[3:])) == ["a", "ab", "abc"]
