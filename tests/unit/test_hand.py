"""A thread of coopy's own: whoever wakes it is served, however often it has gone meanwhile."""

from __future__ import annotations

import threading
from _thread import allocate_lock

from coopy.aio.hand import Hand


class Counter:
    """Work that counts what it found to do, and says so."""

    def __init__(self) -> None:
        self.jobs: list[int] = []
        self.done: list[int] = []
        self.said = allocate_lock()
        self.said.acquire()
        self.soon = 0  # how often it wants to look again by itself

    def work(self) -> bool:
        while self.jobs:
            self.done.append(self.jobs.pop())
        if self.soon:
            self.soon -= 1
            return True
        if self.said.locked():
            self.said.release()
        return False


def test_whoever_wakes_it_is_served_also_while_it_is_about_to_go() -> None:
    """After `end` it goes whenever there is nothing to do: each wake-up meets it at another point of that."""
    counter = Counter()
    hand = Hand("test", counter.work)
    hand.end()
    for number in range(3000):
        counter.jobs.append(number)
        hand.wake()
        while len(counter.done) <= number:
            assert counter.said.acquire(timeout=60)
    assert counter.done == list(range(3000))


def test_one_thread_at_a_time_and_none_when_it_has_ended() -> None:
    """The threads that wake it do not wait for it."""
    counter = Counter()
    hand = Hand("counted", counter.work)
    for number in range(100):
        counter.jobs.append(number)
        hand.wake()
        assert sum(one.name == "coopy counted" for one in threading.enumerate()) <= 1
    [thread] = [one for one in threading.enumerate() if one.name == "coopy counted"]
    hand.end()
    thread.join(60)
    assert not thread.is_alive()
    assert sorted(counter.done) == list(range(100))


def test_it_looks_again_by_itself_where_work_wants_that() -> None:
    """Without being woken."""
    counter = Counter()
    counter.soon = 3
    hand = Hand("test", counter.work)
    hand.wake()
    assert counter.said.acquire(timeout=60)
    assert counter.soon == 0
    hand.end()
