"""The examples, used as a user would: their own documentation line by line; in a process that is killed; after the restart."""

from __future__ import annotations

import doctest
import os
import signal
import subprocess
import sys
import textwrap
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest

from coopy import control, init_system
from coopy.tests.utils import TestSystemMixin
from examples import jobs, orders, sessions, wiki
from examples.cluster import board

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
KILLED = """
import os, signal, sys
from coopy import init_system
{lines}
os.kill(os.getpid(), signal.SIGKILL)
"""


def kill_after(lines: str, directory: Path) -> str:
    """Run a program in a process that dies at its end without closing anything; gives what it printed."""
    program = KILLED.format(lines=textwrap.dedent(lines).strip())
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run([sys.executable, "-u", "-c", program], cwd=directory, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    return ran.stdout.strip()


@contextmanager
def restarted(kind: type[T], directory: Path) -> Iterator[T]:
    """The system in `data`, opened again."""
    with control(init_system(kind, directory / "data")) as system:
        yield system


def replays_alike(system: object) -> bool:
    """Whether its replay in other processes, at other times and places, gives the same state."""
    return control(system).verify().digest == control(system).digest()


def later(system: object, seconds: float) -> None:
    """From now on it is so much later."""
    TestSystemMixin().mock_clock(system, datetime.now() + timedelta(seconds=seconds))


@pytest.mark.parametrize("example", [wiki, orders, jobs, sessions, board])
def test_an_example_does_what_its_documentation_shows(example: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    failed, attempted = doctest.testmod(example)
    assert (failed, attempted > 5) == (0, True)


# --- the wiki --------------------------------------------------------------------------------------------------------------


def test_a_killed_wiki_has_all_its_revisions(tmp_path: Path) -> None:
    kill_after(
        """
        from examples.wiki import Wiki
        wiki = init_system(Wiki, "data")
        wiki.create_page("Home", "one", "ann")
        wiki.edit_page("Home", "two", "bob")
        """,
        tmp_path,
    )
    with restarted(wiki.Wiki, tmp_path) as one:
        assert one.edit_page("Home", "three", "ann") == 3
        assert one.history("Home") == ["one", "two", "three"]
        with pytest.raises(ValueError, match="a page 'Home' already"):
            one.create_page("Home", "four", "bob")
        assert replays_alike(one)


# --- the order book --------------------------------------------------------------------------------------------------------


def test_a_killed_order_book_goes_on_where_it_was(tmp_path: Path) -> None:
    """Who had the better price is served first, then who was earlier; what was set aside too much is given back."""
    kill_after(
        """
        from examples.orders import OrderBook
        book = init_system(OrderBook, "data")
        book.deposit("ann", shares=10)
        book.deposit("cat", shares=10)
        book.deposit("bob", cash=1_000)
        book.sell("ann", 102, 3)
        book.sell("cat", 101, 2)
        book.sell("cat", 102, 3)
        book.buy("bob", 103, 4)
        """,
        tmp_path,
    )
    with restarted(orders.OrderBook, tmp_path) as book:
        assert book.trades == [(101, 2), (102, 2)]
        book.buy("bob", 102, 2)
        assert book.trades[2:] == [(102, 1), (102, 1)]
        assert book.cash == {"ann": 306, "cat": 304, "bob": 390}
        assert book.shares == {"ann": 7, "cat": 5, "bob": 6}
        assert book.quote() == (None, 102)
        assert replays_alike(book)


def test_buyers_wait_in_line_too(tmp_path: Path) -> None:
    with restarted(orders.OrderBook, tmp_path) as book:
        for trader in ("ann", "bob", "cat"):
            book.deposit(trader, cash=500, shares=5)
        numbers = [book.buy("ann", 10, 1), book.buy("bob", 11, 1), book.buy("cat", 10, 1)]
        book.cancel(numbers[0])
        assert (book.cash["ann"], book.quote()) == (500, (11, None))
        ask = book.sell("ann", 10, 3)
        assert (book.trades, book.quote()) == ([(11, 1), (10, 1)], (None, 10))
        book.cancel(ask)
        assert (book.shares["ann"], book.quote()) == (3, (None, None))
        with pytest.raises(orders.Rejected, match="no open order"):
            book.cancel(ask)


def test_refused_orders_leave_nothing_and_only_the_basket_costs_a_rebuild(tmp_path: Path) -> None:
    """A restart knows nothing of them either."""
    with restarted(orders.OrderBook, tmp_path) as book:
        book.deposit("ann", cash=100, shares=1)
        before = control(book).digest()
        for refused in (
            lambda: book.buy("ann", 101, 1),
            lambda: book.buy("ann", 0, 1),
            lambda: book.sell("ann", 10, 2),
            lambda: book.withdraw("ann", 101),
            lambda: book.withdraw("ann", 0),
        ):
            with pytest.raises(orders.Rejected):
                refused()
        assert control(book).stats().rebuilds.count == 0
        with pytest.raises(orders.Rejected, match="and sells 2"):
            book.place_all("ann", [("buy", 10, 1), ("sell", 20, 2)])
        assert control(book).stats().rebuilds.count == 1
        assert control(book).digest() == before
        book.withdraw("ann", 40)
    with restarted(orders.OrderBook, tmp_path) as book:
        assert len(book.place_all("ann", [("buy", 60, 1), ("sell", 70, 1)])) == 2
        assert book.quote() == (60, 70)


# --- the queue of jobs -----------------------------------------------------------------------------------------------------


def test_a_killed_queue_remembers_who_does_what(tmp_path: Path) -> None:
    leased, waiting = kill_after(
        """
        from examples.jobs import JobQueue
        queue = init_system(JobQueue, "data")
        queue.put("first")
        queue.put("second")
        queue.put("much later", delay=3600)
        number, _ = queue.lease("worker 1")
        print(number, *[one for one in queue.jobs if one != number][:1])
        """,
        tmp_path,
    ).split()
    with restarted(jobs.JobQueue, tmp_path) as queue:
        assert queue.counts() == {"waiting": 2, "leased": 1, "given up": 0}
        assert queue.lease("worker 2") == (waiting, "second")
        assert queue.lease("worker 2") is None
        for wrong in (waiting, "no job"):
            with pytest.raises(jobs.LeaseLost, match="is not worker 1's"):
                queue.done(wrong, "worker 1")
        queue.done(leased, "worker 1")
        assert queue.counts() == {"waiting": 1, "leased": 1, "given up": 0}
        assert replays_alike(queue)


def test_a_lease_that_is_over_goes_to_the_next_and_the_first_hears_of_it(tmp_path: Path) -> None:
    with restarted(jobs.JobQueue, tmp_path) as queue:
        number = queue.put("work")
        queue.lease("worker 1", 60)
        later(queue, 50)
        queue.extend(number, "worker 1", 60)
        later(queue, 100)
        assert queue.lease("worker 2") is None
        later(queue, 120)
        assert queue.lease("worker 2", 60) == (number, "work")
        for late in (queue.done, queue.extend):
            with pytest.raises(jobs.LeaseLost):
                late(number, "worker 1")
    with restarted(jobs.JobQueue, tmp_path) as queue:
        queue.done(number, "worker 2")
        assert queue.counts() == {"waiting": 0, "leased": 0, "given up": 0}


def test_a_job_that_nobody_gets_done_is_given_up(tmp_path: Path) -> None:
    """After five leases; a restart in between counts on."""
    with restarted(jobs.JobQueue, tmp_path) as queue:
        number = queue.put("poison")
        for lease in range(3):
            later(queue, 100 * lease)
            assert queue.lease("worker", 60) == (number, "poison")
    with restarted(jobs.JobQueue, tmp_path) as queue:
        for lease in range(3, 5):
            later(queue, 100 * lease)
            assert queue.lease("worker", 60) == (number, "poison")
        later(queue, 500)
        assert queue.lease("worker", 60) is None
        assert (queue.given_up, queue.counts()) == ({number: "poison"}, {"waiting": 0, "leased": 0, "given up": 1})


# --- sessions --------------------------------------------------------------------------------------------------------------


def test_a_killed_service_logs_nobody_out(tmp_path: Path) -> None:
    """Whoever logged out stays so."""
    ann, bob = kill_after(
        """
        from examples.sessions import SessionStore
        sessions = init_system(SessionStore, "data")
        ann, bob = sessions.begin("ann"), sessions.begin("bob")
        sessions.put(ann, "language", "pt")
        sessions.end(bob)
        print(ann, bob)
        """,
        tmp_path,
    ).split()
    with restarted(sessions.SessionStore, tmp_path) as store:
        assert (store.user(ann), store.get(ann, "language"), store.get(ann, "theme")) == ("ann", "pt", None)
        assert (store.user(bob), store.get(bob, "language")) == (None, None)
        assert len(ann) == len(bob) == 64
        assert replays_alike(store)


def test_a_session_ends_by_the_clock_unless_it_is_renewed(tmp_path: Path) -> None:
    with restarted(sessions.SessionStore, tmp_path) as store:
        gone, kept = store.begin("ann"), store.begin("ann")
        later(store, 1000)
        store.renew(kept)
        later(store, 2000)
        for token in (gone, "no token"):
            with pytest.raises(sessions.NoSession):
                store.renew(token)
            with pytest.raises(sessions.NoSession):
                store.put(token, "language", "pt")
        assert (store.user(gone), store.user(kept)) == (None, "ann")
        assert [store.sweep(), store.sweep()] == [1, 0]
        store.begin("bob")
        assert (store.end_all("ann"), store.user(kept)) == (1, None)
        assert [session.user for session in store.sessions.values()] == ["bob"]
