"""How many actions three nodes of a cluster do, and how long each takes: three servers, replicated, every write synced, all on this machine.

    python tests/benchmarks/cluster.py [--rounds N] [--quick] [--write]      tables on standard output, with --write also into docs/benchmarks.md
    make bench                                                               the same, after everything else

Each node is a process. Its tasks call, each again as soon as it has its answer, so that so many actions are in flight at any time, a third of them at
each node; then all nodes are compared. Nodes and servers share the machine's cores: more machines would have more of them. Others have the same load in
turn (peers.py), in the same rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from statistics import median
from typing import TYPE_CHECKING, Any

from coopy import aio, control, init_system
from coopy.cluster.local import LocalServers
from tests.benchmarks.bank import Bank
from tests.benchmarks.environments import CLUSTERS, ROOT, make_environments
from tests.benchmarks.fleet import CALLERS, Caller, agree, fly, load, serve
from tests.benchmarks.page import run
from tests.benchmarks.peers import FLIGHTS as PEERS_FLIGHTS
from tests.benchmarks.peers import PEERS, measure_peer
from tests.benchmarks.report import Table, count, judged, microseconds

if TYPE_CHECKING:
    from pathlib import Path

FLIGHTS = {3: 0, 64: 10_000, 512: 30_000, 4096: 0}  # actions in flight, over all nodes, and how many a second there are to be
COOPY = "coopy"
SECONDS = 4.0
QUERIES = 200_000

Round = dict[tuple[str, int], dict[str, float]]  # by who and how many in flight; of coopy's queries at 0


def asked(bank: Bank, queries: int) -> float:
    """Seconds of processor time that each of so many queries takes its caller."""
    begun = time.thread_time()
    for _ in range(queries):
        bank.balance("account-1")
    return (time.thread_time() - begun) / queries


def asked_in_turn(node: Bank, folder: str, queries: int) -> dict[str, float]:
    """The same of a node and of a system that is embedded in its process, in turns: what else the process has done counts for both."""
    turns = 5
    with control(init_system(Bank, folder, validation="off")) as alone:
        both = [(asked(node, queries // turns), asked(alone, queries // turns)) for _ in range(turns)]
    return {"query": median(one for one, _ in both), "alone": median(one for _, one in both)}


def serve_coopy(directory: str, urls: str) -> None:
    """A node, in a process of its own."""
    blocking = init_system(Bank, directory, cluster=urls, name="bench", validation="off")
    beside: Any = aio.opening.beside(blocking)

    def look() -> dict[str, Any]:
        control(blocking).barrier()
        return {"lsn": control(blocking).lsn, "digest": control(blocking).digest()}

    serve(
        {
            "load": lambda **how: asyncio.run(load(lambda account: beside.deposit(account, 1), **how)),
            "ask": lambda queries: asked_in_turn(blocking, f"{directory}-alone", queries),
            "look": look,
        }
    )
    control(blocking).close()


def node(folder: Path, urls: str, number: int) -> Caller:
    """One that is open."""
    found = Caller(sys.executable, "tests.benchmarks.cluster:serve_coopy", str(folder / f"node{number}"), urls)
    found.answer()
    return found


def measure_coopy(folder: Path, seconds: float, queries: int) -> Round:
    """Everything of coopy's, once."""
    found: Round = {}
    with LocalServers(folder / "servers", CALLERS) as servers:
        nodes = [node(folder, servers.urls, number) for number in range(CALLERS)]
        for flight in FLIGHTS:
            found[COOPY, flight] = fly(nodes, flight, seconds)
        nodes[0].tell("ask", queries=queries)
        found[COOPY, 0] = nodes[0].answer()
        assert agree(nodes), "the nodes differ"
        for one in nodes:
            one.end()
    return found


def one_round(folder: Path, seconds: float, queries: int) -> Round:
    """Everyone in turn."""
    found = measure_coopy(folder, seconds, queries)
    for peer in PEERS:
        found |= {(peer, flight): figures for flight, figures in measure_peer(peer, folder / peer, seconds).items()}
    return found


def measure(rounds: int, seconds: float, queries: int) -> tuple[Table, ...]:
    """Everything, so many times."""
    make_environments(CLUSTERS)
    seen: list[Round] = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(dir=ROOT / "build", prefix="cluster-") as folder:
            seen.append(one_round(ROOT / "build" / folder, seconds, queries))
    return against_targets(seen), beside_others(seen)


def middle(seen: list[Round], who: str, flight: int, what: str) -> float:
    """The middle of the rounds."""
    return median(one[who, flight][what] for one in seen)


def against_targets(seen: list[Round]) -> Table:
    """What the issue asks for, and what was seen."""
    rows = []
    for flight, wanted in FLIGHTS.items():
        rate = middle(seen, COOPY, flight, "rate")
        to_reach = (count(wanted), judged(rate >= wanted)) if wanted else ("", "")
        rows.append((f"actions/s of {CALLERS} nodes, {flight} in flight", count(rate), *to_reach))
        cpu = middle(seen, COOPY, flight, "cpu")
        rows.append((f"processor time of all nodes for each of these, {flight} in flight", microseconds(cpu), "", ""))
    alone = middle(seen, COOPY, 0, "alone")
    ratio = middle(seen, COOPY, 0, "query") / alone
    what = f"a query of a node, in processor time, beside one of an embedded system ({microseconds(alone)})"
    rows.append((what, f"{ratio:.2f}", "1.1", judged(ratio <= 1.1)))
    return Table("cluster", ("what", "is", "to reach", ""), tuple(rows))


def beside_others(seen: list[Round]) -> Table:
    """Everyone's rate and latency, and how many times as fast coopy is."""
    rows = []
    for flight in FLIGHTS:
        for who in (COOPY, *(PEERS if flight in PEERS_FLIGHTS else ())):
            rate, half, most = (middle(seen, who, flight, what) for what in ("rate", "half", "most"))
            ratio = median(one[COOPY, flight]["rate"] / one[who, flight]["rate"] for one in seen)
            named = f"{flight}" if who == COOPY else ""
            rows.append((named, who, count(rate), f"{half * 1e3:.1f} ms", f"{most * 1e3:.1f} ms", "" if who == COOPY else f"{ratio:.2g}"))
    return Table("beside other clusters", ("in flight", "who", "per second", "half within", "99 of 100 within", "coopy / it"), tuple(rows))


def main() -> int:
    """Measure, print, perhaps write."""
    parser = argparse.ArgumentParser(description="what three nodes get done")
    return run("cluster", parser, lambda asked: measure(1, 1.5, QUERIES // 10) if asked.quick else measure(asked.rounds, SECONDS, QUERIES))


if __name__ == "__main__":
    sys.exit(main())
