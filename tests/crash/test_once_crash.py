"""A caller that asks again after a crash, with the same key: whatever was cut off, and when, each letter is added once."""

from __future__ import annotations

import contextlib
import random
from typing import Any

import pytest

from coopy import control, once
from coopy.disk.fake import FakeDisk, PowerCut
from coopy.error import CoopyError
from tests.crash.points import drawn
from tests.crash.test_power_cut import LETTERS, Run, letters

WANTED = 12
STRIDE = 20  # every 20th call, beside the first and the last of each kind; `make faults` takes every one


class Caller(Run):
    """Wants twelve letters, each with its number as its key, and takes no answer for none."""

    answered = 0

    def ask(self) -> None:
        """From the first letter that was not answered on; before, the last that was is asked for once more."""
        self.open()
        for number in range(max(0, self.answered - 1), WANTED):
            with once(f"letter {number}"):
                assert self.word.add(LETTERS[number]) == letters(number + 1)
            self.answered = max(self.answered, number + 1)
            if number in {4, 8}:
                self.word.take_snapshot()
        self.word.close()

    def ask_until_cut(self) -> None:
        with contextlib.suppress(PowerCut, CoopyError, OSError):
            self.ask()
        self.abandon()


def ask_again(durability: Any, killed: bool, stride: int, seed: int) -> int:
    """Cut off at every so manieth call, and once more in the second run; gives how many callers came back."""
    reference = FakeDisk()
    Caller(reference, durability).ask()
    points = drawn(reference.calls, stride, seed)
    for nth in points:
        chance = random.Random(nth)
        caller = Caller(FakeDisk(), durability)
        for cut in (nth, chance.randint(1, len(reference.calls))):
            caller.disk.crash_at(cut)
            caller.ask_until_cut()
            caller.disk = caller.disk.kill() if killed else caller.disk.crash(chance)
        caller.ask()
        caller.open()
        assert caller.word.text == letters(WANTED), f"cut at call {nth}"
        assert control(caller.word).stats().keys == WANTED
        caller.abandon()
    return len(points)


WAYS: list[tuple[Any, bool]] = [("sync", False), ("sync", True), ("buffered", True)]


@pytest.mark.parametrize(("durability", "killed"), WAYS)
def test_who_asks_again_after_a_crash_gets_each_letter_once(durability: Any, killed: bool) -> None:
    """Given a cut at any call of the operating system, and another one in the second run, when the caller comes back, then nothing is missing or doubled."""
    assert ask_again(durability, killed, STRIDE, seed=1) > 70
