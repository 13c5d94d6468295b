"""The whole library on a disk that forgets what was not synced: the power is cut at every I/O call, also while it recovers.

The word grows by one letter a call, so a state shows at once what was lost, invented or doubled.
"""

from __future__ import annotations

import contextlib
import errno
import random
from typing import TYPE_CHECKING, Any

import pytest

from coopy import control
from coopy.disk.fake import FakeDisk, PowerCut
from coopy.engine.gate import CLOSED
from coopy.error import CoopyError, DiskFullError
from coopy.wiring import Options, open_proxy
from coopy.wiring.systems import _systems
from tests.crash.points import drawn
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Callable

LETTERS = "abcdefghijklmnopqrstuvwxyz"
SUBSETS = 1  # of unsynced sectors that survive, for each cut; `make faults` takes ten
STRIDE = 20  # every 20th call, beside the first and the last of each kind; `make faults` takes every one
FAILURES = [errno.EIO, errno.ENOSPC, errno.EINTR]


class Run:
    """A word on a fake disk, and what its caller knows: how many letters were acknowledged, how many were tried."""

    def __init__(self, disk: FakeDisk, durability: Any) -> None:
        self.disk, self.durability = disk, durability
        self.acknowledged = self.tried = 0
        self.word: Any = None

    def open(self) -> None:
        self.word = open_proxy(Word, "/data/w", Options(durability=self.durability, segment_bytes=4096, sync_interval=3600), self.disk)

    def add(self, count: int) -> None:
        for _ in range(count):
            self.tried += 1
            self.word.add(LETTERS[(self.tried - 1) % 26])
            self.acknowledged += 1

    def fail_twice(self) -> None:
        """One call raises after its change, one is undone."""
        with pytest.raises(ValueError, match="@"):
            self.word.keep_and_raise("@")
        with pytest.raises(ValueError, match="@"):
            self.word.add_or_abort("@", fail=True)

    def abandon(self) -> None:
        """Let go of the system as a power cut does: nothing is written any more."""
        if self.word is not None:
            system = _systems[type(self.word)]
            for timer in system._timers:
                timer.stop()
            system.engine.end(CLOSED)
            self.word = None


def scenario(run: Run) -> None:
    """Everything that touches the disk, once."""
    run.open()
    run.add(3)
    run.fail_twice()
    run.word.take_snapshot()
    run.add(8)
    run.word.take_snapshot(background=True)
    control(run.word).wait_snapshot()
    run.add(2)
    run.word.take_snapshot()
    _systems[type(run.word)].prune()
    run.add(2)
    run.word.close()
    run.open()
    run.add(2)
    run.word.close()


def letters(count: int) -> str:
    return "".join(LETTERS[number % 26] for number in range(count))


def reopened(disk: FakeDisk, durability: Any) -> str:
    again = Run(disk, durability)
    again.open()
    try:
        return str(again.word.text)
    finally:
        again.abandon()


def play(disk: FakeDisk, durability: Any, act: Callable[[Run], None] = scenario) -> Run:
    run = Run(disk, durability)
    with contextlib.suppress(PowerCut, CoopyError, OSError):
        act(run)
    run.abandon()
    return run


def calls_of_scenario(durability: Any) -> list[str]:
    disk = FakeDisk()
    scenario(Run(disk, durability))
    return disk.calls


def cut_power(durability: Any, subsets: int, stride: int, seed: int) -> int:
    """Cut the power at every so manieth call, with so many random subsets of what survives, or only kill the process; gives how many states were opened."""
    points = drawn(calls_of_scenario(durability), stride, seed)
    for nth in points:
        disk = FakeDisk()
        disk.crash_at(nth)
        run = play(disk, durability)
        for subset in range(subsets):
            text = reopened(disk.crash(random.Random((seed * 1000 + nth) * 1000 + subset)), durability)
            assert text == letters(len(text)), f"seed {seed}, cut at call {nth}, subset {subset}"
            assert len(text) <= run.tried
            if durability == "sync":
                assert len(text) >= run.acknowledged, (
                    f"seed {seed}, cut at call {nth}, subset {subset}: {text} after {run.acknowledged} acknowledged"
                )
        text = reopened(disk.kill(), durability)
        assert text == letters(len(text)), f"killed at call {nth}"
        assert run.acknowledged <= len(text) <= run.tried, f"killed at call {nth}"
    return len(points) * (subsets + 1)


@pytest.mark.parametrize("durability", ["sync", "buffered"])
def test_no_cut_at_any_call_loses_an_acknowledged_letter(durability: Any) -> None:
    """The restarted word is a beginning of the alphabet: as long as was acknowledged, at most one longer.

    What the operating system has survives the process at either durability; the power's end, what was synced.
    """
    assert cut_power(durability, SUBSETS, STRIDE, seed=1) > 200


def test_a_power_cut_during_recovery_loses_nothing() -> None:
    """Recovery may be cut off at any call too, and begins again."""
    first = FakeDisk()
    run = play(first, "sync", unclean)
    for nth in range(1, 200):
        torn = first.crash(random.Random(nth))
        torn.crash_at(nth)
        again = play(torn, "sync", Run.open)
        assert again.tried == 0
        text = reopened(torn.crash(random.Random(nth)), "sync")
        assert text == letters(len(text))
        assert run.acknowledged <= len(text) <= run.tried, f"recovery cut at call {nth}"
        if nth > len(torn.calls):
            break
    else:
        pytest.fail("recovery never came to its end")


def unclean(run: Run) -> None:
    """Some letters, a snapshot, more letters, and no close."""
    run.open()
    run.add(20)
    run.word.take_snapshot()
    run.add(5)
    raise PowerCut


def fail_calls(durability: Any, how: int, stride: int, seed: int) -> int:
    """Have every so manieth call of the operating system fail once; gives how many did."""
    points = drawn(calls_of_scenario(durability), stride, seed)
    for nth in points:
        disk = FakeDisk()
        disk.fail(nth, how)
        run = play(disk, durability)
        text = reopened(disk.crash(random.Random(nth)) if durability == "sync" else disk.kill(), durability)
        assert text == letters(len(text)), f"call {nth} failed with {how}"
        assert run.acknowledged <= len(text) <= run.tried, f"call {nth} failed with {how}"
    return len(points)


@pytest.mark.parametrize("how", FAILURES)
@pytest.mark.parametrize("durability", ["sync", "buffered"])
def test_any_call_of_the_system_may_fail_once(durability: Any, how: int) -> None:
    """Each call either is refused or fails for good; what was acknowledged is there after the next start."""
    assert fail_calls(durability, how, STRIDE, seed=how) > 90


@pytest.mark.parametrize("durability", ["sync", "buffered"])
def test_a_full_disk_refuses_calls_and_goes_on_when_there_is_room(durability: Any) -> None:
    """The refused call changed nothing, and the next one with room works."""
    disk = FakeDisk(capacity=24_000)  # room for a manifest that names all modules of these tests
    run = Run(disk, durability)
    run.open()
    with pytest.raises(DiskFullError):
        run.add(1000)
    assert run.word.text == letters(run.acknowledged)
    disk.capacity = None
    run.tried = run.acknowledged
    run.add(3)
    assert run.word.text == letters(run.acknowledged)
    run.word.close()
    assert reopened(disk.kill(), durability) == letters(run.acknowledged)
