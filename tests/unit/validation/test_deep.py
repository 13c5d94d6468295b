"""One limit for all threads: raised while any needs it, and then what it was."""

from __future__ import annotations

import sys
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from coopy import control, init_system
from coopy.validation.deep import room_for
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEEP, DEEPER = 20_000, 50_000


@pytest.fixture
def usual() -> Iterator[int]:
    """What it is for this test, and afterwards whatever the test did."""
    limit = sys.getrecursionlimit()
    yield limit
    sys.setrecursionlimit(limit)


def test_who_comes_second_and_leaves_last_keeps_the_room_and_puts_back_what_was_there(usual: int) -> None:
    """Not what it found, which was the first one's."""
    first, second = ExitStack(), ExitStack()
    first.enter_context(room_for(DEEPER))
    second.enter_context(room_for(DEEP))
    first.close()
    assert sys.getrecursionlimit() >= DEEP
    second.close()
    assert sys.getrecursionlimit() == usual


def test_more_room_within_is_kept_until_all_have_gone(usual: int) -> None:
    with room_for(DEEP):
        with room_for(DEEPER):
            assert sys.getrecursionlimit() == DEEPER
        assert sys.getrecursionlimit() >= DEEP
    assert sys.getrecursionlimit() == usual


@pytest.mark.parametrize("another", [3000, 60_000])
def test_a_limit_that_somebody_else_sets_meanwhile_stays(usual: int, another: int) -> None:
    """Also where it is raised once more after that."""
    with room_for(DEEP):
        sys.setrecursionlimit(another)
    assert sys.getrecursionlimit() == another != usual
    with room_for(DEEP):
        sys.setrecursionlimit(another + 1)
        with room_for(DEEPER):
            assert sys.getrecursionlimit() >= DEEPER
    assert sys.getrecursionlimit() == another + 1


def test_systems_that_begin_at_once_on_many_threads_leave_it_as_it_was(usual: int, tmp_path: Path) -> None:
    """Each validates its class, which takes room."""
    start = threading.Barrier(8)

    def begin(number: int) -> None:
        start.wait(60)
        for again in range(5):
            control(init_system(Word(), tmp_path / f"{number}-{again}")).close()

    threads = [threading.Thread(target=begin, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sys.getrecursionlimit() == usual
