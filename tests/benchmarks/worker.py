"""The child process that measures one subject: a request as a line of JSON comes in, a reply as a line of JSON goes out.

    {"measure": ..., "subject": ..., "directory": ..., "durability": ..., "threads": ..., "count": ...}  ->  {"seconds": ...}

`measure` is actions (the reply holds "bytes" too: of journal, per action), restore (of what actions left in the directory) or queries.
It runs in the subject's own environment, with the repository at the end of the module path, so that `coopy` is the installed one.
"""

from __future__ import annotations

import gc
import json
import sys
import threading
import time
from typing import TYPE_CHECKING

from tests.benchmarks.subjects import SUBJECTS, journal_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.benchmarks.subjects import Bank, Durability

__all__ = ["main"]

WARM_UP = 50
ACCOUNTS = [f"account{number}" for number in range(1000)]
Reply = dict[str, float]


def main() -> None:
    """Answer requests until there are no more."""
    for line in sys.stdin:
        request = json.loads(line)
        reply = MEASURES[request.pop("measure")](**request)
        print(json.dumps(reply), flush=True)


def measure_actions(subject: str, directory: str, durability: Durability, threads: int, count: int) -> Reply:
    """Deposits by so many threads, in all `count`; then what they take on disk."""
    bank, close = SUBJECTS[subject](directory, durability)
    deposit(bank, range(WARM_UP))
    numbers = iter(range(count))  # one for all: as many threads as are asked for call until nothing is left to do
    seconds = timed(threads, lambda: deposit(bank, numbers))
    close()
    return {"seconds": seconds, "bytes": journal_bytes(directory) / (WARM_UP + count)}


def measure_queries(subject: str, directory: str, durability: Durability, threads: int, count: int) -> Reply:
    """Look an account up, again and again."""
    bank, close = SUBJECTS[subject](directory, durability)
    deposit(bank, range(WARM_UP))
    seconds = timed(threads, lambda: look_up(bank, count // threads))
    close()
    return {"seconds": seconds}


def measure_restore(subject: str, directory: str, durability: Durability, threads: int, count: int) -> Reply:
    """Open what `measure_actions` left behind, until it can be used. What that imports was imported before."""
    SUBJECTS[subject](f"{directory}-new", durability)[1]()
    gc.collect()
    begin = time.perf_counter()
    bank, close = SUBJECTS[subject](directory, durability)
    seconds = time.perf_counter() - begin
    kept = bank.moves
    assert kept == WARM_UP + count, f"{subject} restored {kept} of {WARM_UP + count} actions"
    close()
    return {"seconds": seconds}


def timed(threads: int, work: Callable[[], object]) -> float:
    """Seconds that it takes so many threads to do the work once each; one is this thread itself."""
    gc.collect()
    workers = [threading.Thread(target=work) for _ in range(threads)] if threads > 1 else []
    begin = time.perf_counter()
    if not workers:
        work()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return time.perf_counter() - begin


def deposit(bank: Bank, numbers: Iterable[int]) -> None:
    """An action for each, looked up and called as a user would."""
    for number in numbers:
        bank.deposit(ACCOUNTS[number % 1000], number)


def look_up(bank: Bank, count: int) -> None:
    """So many queries."""
    for number in range(count):
        bank.balance(ACCOUNTS[number % WARM_UP])


MEASURES: dict[str, Callable[..., Reply]] = {"actions": measure_actions, "queries": measure_queries, "restore": measure_restore}
