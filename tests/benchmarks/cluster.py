"""How many actions three nodes of a cluster do, and how long each takes: three servers, replicated, every write synced, all on this machine.

    python tests/benchmarks/cluster.py [--rounds N] [--quick] [--write]      a table on standard output, with --write also into docs/benchmarks.md
    make bench                                                               the same, after everything else

Each node is a process. Its tasks call, each again as soon as it has its answer, so that so many actions are in flight at any time, a third of them at
each node; then all nodes are compared. Nodes and servers share the machine's cores: more machines would have more of them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from statistics import median
from typing import TYPE_CHECKING, Any

from coopy import aio, control, init_system
from coopy.cluster.local import LocalServers
from tests.benchmarks.bank import Bank
from tests.benchmarks.environments import ROOT
from tests.benchmarks.page import run
from tests.benchmarks.report import Table, count, judged, microseconds

if TYPE_CHECKING:
    from pathlib import Path

CHILD = f"import sys; sys.path.append({str(ROOT)!r}); from tests.benchmarks.cluster import serve; serve()"
NODES = 3
FLIGHTS = {3: 0, 64: 10_000, 512: 30_000, 4096: 0}  # actions in flight, over all nodes, and how many a second there are to be
SECONDS, WARM = 4.0, 1.0
QUERIES = 200_000


class Seen:
    """What a node saw in one measurement."""

    def __init__(self) -> None:
        self.took: list[float] = []

    async def call(self, bank: Any, account: str, begin: float, end: float) -> None:
        """One task: act until the end; what began after the beginning counts."""
        while (begun := time.time()) < end:
            await bank.deposit(account, 1)
            if begun >= begin:
                self.took.append(time.time() - begun)


async def load(bank: Any, tasks: int, begin: float, seconds: float) -> dict[str, Any]:
    """So many actions in flight for so long."""
    seen, cpu = Seen(), os.times()
    await asyncio.sleep(max(begin - WARM - time.time(), 0))
    await asyncio.gather(*(seen.call(bank, f"account-{number % 100}", begin, begin + seconds) for number in range(tasks)))
    now = os.times()
    return {"took": seen.took, "cpu": now.user + now.system - cpu.user - cpu.system}


def asked(bank: Bank, queries: int) -> float:
    """Seconds of processor time that so many queries take their caller."""
    begun = time.thread_time()
    for _ in range(queries):
        bank.balance("account-1")
    return time.thread_time() - begun


def serve() -> None:
    """A node, in a process of its own: does what it is told by lines, until there are no more."""
    directory, urls, name = sys.argv[1:]
    blocking = init_system(Bank, directory, cluster=urls, name=name, validation="off")
    beside = aio.opening.beside(blocking)
    print(json.dumps({"open": True}), flush=True)
    for line in sys.stdin:
        what = json.loads(line)
        if "tasks" in what:
            answer: dict[str, Any] = asyncio.run(load(beside, what["tasks"], what["begin"], what["seconds"]))
        elif "queries" in what:
            answer = {"seconds": asked(blocking, what["queries"])}
        else:
            control(blocking).barrier()
            answer = {"lsn": control(blocking).lsn, "digest": control(blocking).digest()}
        print(json.dumps(answer), flush=True)
    control(blocking).close()


class Node:
    """A node's process."""

    def __init__(self, directory: Path, urls: str, name: str) -> None:
        command = [sys.executable, "-c", CHILD, str(directory), urls, name]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        self.answer()

    def tell(self, **what: Any) -> None:
        """Have it do something."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """What came of it."""
        assert self._process.stdout is not None
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found

    def end(self) -> None:
        """Close it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def one_round(folder: Path, seconds: float, queries: int) -> dict[str, float]:
    """Figures by what was measured: actions a second and how long they took, by how many were in flight."""
    found: dict[str, float] = {}
    with LocalServers(folder / "servers", 3) as servers:
        first = Node(folder / "node0", servers.urls, "bench")
        nodes = [first, *(Node(folder / f"node{number}", servers.urls, "bench") for number in range(1, NODES))]
        for flight in FLIGHTS:
            begin = time.time() + WARM + 0.2
            for node in nodes:
                node.tell(tasks=flight // NODES + (flight % NODES > 0), begin=begin, seconds=seconds)
            seen = [node.answer() for node in nodes]
            took = sorted(one for each in seen for one in each["took"])
            found[f"{flight}"] = len(took) / seconds
            found[f"{flight} half"], found[f"{flight} 99 %"] = took[len(took) // 2], took[len(took) * 99 // 100]
            found[f"{flight} cpu"] = sum(each["cpu"] for each in seen) / (len(took) * (seconds + WARM) / seconds)
        first.tell(queries=queries)
        found["query"] = first.answer()["seconds"] / queries
        for node in nodes:
            node.tell(look=True)
        states = {json.dumps(node.answer()) for node in nodes}
        assert len(states) == 1, f"the nodes differ: {states}"
        for node in nodes:
            node.end()
    alone = init_system(Bank, folder / "alone", validation="off")
    with control(alone):
        found["query alone"] = asked(alone, queries) / queries
    return found


def measure(rounds: int, seconds: float, queries: int) -> Table:
    """Everything, so many times."""
    seen: list[dict[str, float]] = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(dir=ROOT / "build", prefix="cluster-") as folder:
            seen.append(one_round(ROOT / "build" / folder, seconds, queries))
    of = {name: median(one[name] for one in seen) for name in seen[0]}
    rows = []
    for flight, wanted in FLIGHTS.items():
        half, most = of[f"{flight} half"] * 1000, of[f"{flight} 99 %"] * 1000
        what = f"actions/s of {NODES} nodes, {flight} in flight (half within {half:.1f} ms, 99 of 100 within {most:.1f} ms)"
        rows.append((what, count(of[f"{flight}"]), count(wanted) if wanted else "", judged(of[f"{flight}"] >= wanted) if wanted else ""))
        rows.append((f"processor time of all nodes for each of these, {flight} in flight", microseconds(of[f"{flight} cpu"]), "", ""))
    ratio = of["query"] / of["query alone"]
    rows.append(
        (
            f"a query of a node, in processor time, beside one of an embedded system ({microseconds(of['query alone'])})",
            f"{ratio:.2f}",
            "1.1",
            judged(ratio <= 1.1),
        )
    )
    return Table("cluster", ("what", "is", "to reach", ""), tuple(rows))


def main() -> int:
    """Measure, print, perhaps write."""
    parser = argparse.ArgumentParser(description="what three nodes get done")
    return run("cluster", parser, lambda asked: measure(1, 1.5, QUERIES // 10) if asked.quick else measure(asked.rounds, SECONDS, QUERIES))


if __name__ == "__main__":
    sys.exit(main())
