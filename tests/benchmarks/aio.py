"""A thousand tasks beside one blocking caller, and what a query costs a task: on this machine, in one process.

    python tests/benchmarks/aio.py [--rounds N] [--quick] [--write]      a table on standard output, with --write also into docs/benchmarks.md
    make bench                                                           the same, after everything else

Ratios are between two measurements of one round, seconds apart.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from statistics import median
from typing import TYPE_CHECKING

from coopy import aio
from tests.benchmarks.bank import Bank
from tests.benchmarks.environments import ROOT
from tests.benchmarks.page import run
from tests.benchmarks.replication import at_least
from tests.benchmarks.report import Table, count, microseconds
from tests.benchmarks.worker import deposit

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

TASKS, BLOCKING, ACTIONS, QUERIES = 1000, 3000, 100_000, 100_000


async def many(bank: aio.Proxy[Bank], actions: int) -> None:
    """So many actions of a thousand tasks, each with one under way."""

    async def act(number: int) -> None:
        account = f"account-{number % 100}"
        for _ in range(actions // TASKS):
            await bank.deposit(account, 1)

    async with asyncio.TaskGroup() as group:
        for number in range(TASKS):
            group.create_task(act(number))


async def ask(bank: aio.Proxy[Bank], queries: int) -> None:
    """So many queries of one task."""
    for _ in range(queries):
        await bank.balance("account-1")


async def slowest_while_acting(bank: aio.Proxy[Bank], actions: int) -> tuple[float, float]:
    """Seconds that a query takes while a thousand tasks act: half of them at most, and 99 of 100 at most."""
    acting = asyncio.create_task(many(bank, actions))
    took: list[float] = []
    while not acting.done():
        begin = time.perf_counter()
        await bank.balance("account-1")
        took.append(time.perf_counter() - begin)
        await asyncio.sleep(0)
    await acting
    took.sort()
    return took[len(took) // 2], took[len(took) * 99 // 100]


async def seconds(work: Callable[[], Coroutine[None, None, object]]) -> float:
    """How long it takes."""
    begin = time.perf_counter()
    await work()
    return time.perf_counter() - begin


async def one_round(folder: str, scale: float) -> dict[str, float]:
    """Rates by what was done."""
    async with aio.open(Bank, folder, validation="off") as bank:
        blocking, actions, queries = aio.control(bank).blocking, int(ACTIONS * scale), int(QUERIES * scale)
        begin = time.perf_counter()
        deposit(blocking, range(int(BLOCKING * scale)))
        found = {"one": int(BLOCKING * scale) / (time.perf_counter() - begin)}
        found["many"] = actions / await seconds(lambda: many(bank, actions))
        found["query"] = await seconds(lambda: ask(bank, queries)) / queries
        found["query, half"], found["query, 99 %"] = await slowest_while_acting(bank, actions)
    return found


def measure(rounds: int, scale: float) -> Table:
    """Everything, so many times."""
    seen: list[dict[str, float]] = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(dir=ROOT / "build", prefix="aio-") as folder:
            seen.append(asyncio.run(one_round(f"{folder}/bank", scale)))
    of = {name: median(one[name] for one in seen) for name in seen[0]}
    ratio = median(one["many"] / one["one"] for one in seen)
    rows = [
        at_least(f"sync actions of {TASKS} tasks ({count(of['many'])}/s) beside one blocking caller ({count(of['one'])}/s)", ratio, 10),
        ("a query of a task, nobody else", microseconds(of["query"]), "", ""),
        (f"a query while {TASKS} tasks act, half", microseconds(of["query, half"]), "", ""),
        (f"a query while {TASKS} tasks act, 99 of 100", microseconds(of["query, 99 %"]), "", ""),
    ]
    return Table("asyncio", ("what", "is", "to reach", ""), tuple(rows))


def main() -> int:
    """Measure, print, perhaps write."""
    parser = argparse.ArgumentParser(description="what tasks get done, beside threads")
    return run("asyncio", parser, lambda asked: measure(1, 0.1) if asked.quick else measure(asked.rounds, 1.0))


if __name__ == "__main__":
    sys.exit(main())
