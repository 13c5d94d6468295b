"""When the disk has failed queries go on: what they see is whole, also where somebody was interrupted at that very moment."""

from __future__ import annotations

import errno
import threading
from typing import TYPE_CHECKING, ClassVar

import pytest

from coopy import control, init_system, unlocked
from coopy.disk import files
from coopy.error import ClosedError, DurabilityError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Pair:
    """Two numbers that are the same but in the middle of an action. `halfway`: what happens there, once each."""

    halfway: ClassVar[list[Callable[[], object]]] = []

    def __init__(self) -> None:
        self.one = self.two = 0

    def count(self) -> None:
        self.one += 1
        if Pair.halfway:
            Pair.halfway.pop()()
        self.two += 1

    @unlocked
    def count_beside(self) -> None:
        self.count()


def interrupt() -> None:
    raise KeyboardInterrupt


def fails_once(monkeypatch: pytest.MonkeyPatch, before: Callable[[], object]) -> None:
    """The next sync of a file fails, after something else has happened."""
    works = files._force

    def fail(_fd: int) -> None:
        monkeypatch.setattr(files, "_force", works)
        before()
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(files, "_force", fail)


def test_an_action_that_was_interrupted_while_a_sync_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal decides: it happens."""
    pair = init_system(Pair(), tmp_path / "p", durability="buffered", sync_interval=3600, validation="off")
    pair.count()

    def be_interrupted() -> None:
        Pair.halfway.append(interrupt)
        with pytest.raises(KeyboardInterrupt):
            pair.count()

    fails_once(monkeypatch, be_interrupted)
    with pytest.raises(DurabilityError):
        control(pair).wait_durable()
    assert (pair.one, pair.two) == (2, 2)
    with pytest.raises(ClosedError):
        pair.count()
    control(pair).close()
    with control(init_system(Pair, tmp_path / "p", validation="off")) as again:
        assert (again.one, again.two) == (2, 2)


def test_an_unlocked_action_that_was_interrupted_while_a_batch_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was on stable storage before; the call whose batch failed did not run."""
    pair = init_system(Pair(), tmp_path / "p", sync_interval=3600, validation="off")
    flying, may_end = threading.Event(), threading.Event()

    def stop() -> None:
        flying.set()
        may_end.wait(60)
        raise KeyboardInterrupt

    def fly() -> None:
        with pytest.raises(KeyboardInterrupt):
            pair.count_beside()

    def land() -> None:
        may_end.set()
        thread.join(60)

    Pair.halfway.append(stop)
    thread = threading.Thread(target=fly, daemon=True)
    thread.start()
    assert flying.wait(60)
    fails_once(monkeypatch, land)
    with pytest.raises(DurabilityError):
        pair.count()
    assert (pair.one, pair.two) == (1, 1)
