"""What a replica costs its primary, how far it lags, how fast it catches up: on this machine, whose cores both share.

    python tests/benchmarks/replication.py [--rounds N] [--quick] [--write]      a table on standard output, with --write also into docs/benchmarks.md
    make bench                                                                   the same, after everything else

Primary and replica are processes of their own, with their directories on one disk. Each is told what to do by lines on its standard input and answers
by one line each. Ratios are between two measurements of one round, less than a second apart: of two primaries that take turns, one of which has a replica.
"""

from __future__ import annotations

import argparse
import gc
import json
import subprocess
import sys
import tempfile
import time
from collections import deque
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from coopy import control, init_system
from tests.asked import primary_stats
from tests.benchmarks.bank import Bank
from tests.benchmarks.environments import ROOT
from tests.benchmarks.page import run
from tests.benchmarks.report import Table, count, judged
from tests.benchmarks.worker import deposit, timed

if TYPE_CHECKING:
    from collections.abc import Callable

CHILD = f"import sys; sys.path.append({str(ROOT)!r}); from tests.benchmarks.replication import serve; serve()"
HALF_LOAD = 2.0  # seconds that half the load goes on
LOOK = 0.02  # seconds' worth of actions between two looks, at most
OFTEN = 0.005  # seconds between two looks at how far a replica is behind
ACTIONS = {"sync": 4_000, "buffered": 150_000}
TURNS = 7  # of a primary without a replica, and of one with
THREADS = {"sync": 8, "buffered": 1}
CAUGHT_UP = 1_000_000


class Process:
    """A primary or a replica."""

    def __init__(self, **options: Any) -> None:
        self._child = subprocess.Popen([sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        self.opened = self.ask(**options)

    def ask(self, **request: Any) -> float:
        """One thing to be done, and its answer: a port or seconds."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(json.dumps(request) + "\n")
        self._child.stdin.flush()
        answer: float = json.loads(self._child.stdout.readline())
        return answer

    def end(self) -> None:
        """Close the system and wait for the process."""
        self._child.communicate()

    def kill(self) -> None:
        """Nothing is closed."""
        self._child.kill()
        self._child.communicate()


# --- what the processes do -------------------------------------------------------------------------------------------


def serve() -> None:
    """Open what the first line says, and do what the others say."""
    lines = map(json.loads, sys.stdin)
    options = next(lines)
    begin = time.perf_counter()
    bank = init_system(Bank, validation="off", **options)
    seconds = time.perf_counter() - begin
    answer(control(bank).address[1] if options.get("master") else seconds)
    with control(bank):
        for request in lines:
            answer(WORK[request.pop("do")](bank, **request))


def answer(figure: float) -> None:
    """To whoever asked."""
    print(json.dumps(figure), flush=True)


def act(bank: Bank, actions: int, threads: int) -> float:
    """Seconds for so many actions."""
    return timed(threads, lambda: deposit(bank, range(actions // threads)))


def act_slowly(bank: Bank, rate: float) -> float:
    """So many actions a second for a while; the seconds within which the replica has acknowledged 99 of 100 of them as executed."""
    begin, done, lags, pending = time.perf_counter(), 0, [], deque[tuple[int, float]]()
    while (passed := time.perf_counter() - begin) < HALF_LOAD or pending:
        due = min(int(rate * passed) - done, int(rate * LOOK)) if passed < HALF_LOAD else 0  # what one thread does not get done is left out
        if due > 0:
            deposit(bank, range(due))
            done += due
            pending.append((control(bank).lsn, time.perf_counter()))
        time.sleep(OFTEN)
        acked = primary_stats(bank).acked
        while pending and pending[0][0] <= acked:
            lags.append(time.perf_counter() - pending.popleft()[1])
    return sorted(lags)[len(lags) * 99 // 100]


def catch_up(bank: Bank, lsn: int) -> float:
    """Seconds until a replica shows this action."""
    begin = time.perf_counter()
    while control(bank).lsn < lsn:
        time.sleep(OFTEN)
    return time.perf_counter() - begin


WORK: dict[str, Callable[..., float]] = {"act": act, "act slowly": act_slowly, "catch up": catch_up}


# --- what is measured ------------------------------------------------------------------------------------------------


def cost(folder: Path, durability: str, scale: float) -> dict[str, float]:
    """What callers do in a second with a replica, as parts of what they do alone: one that reads from disk, and one that is level. And its lag."""
    actions, threads = int(ACTIONS[durability] * scale), THREADS[durability]
    primary, lonely = (Process(basedir=f"{folder}/{name}", master=True, port=0, durability=durability) for name in ("primary", "lonely"))
    load = {"do": "act", "actions": actions, "threads": threads}
    for one in (primary, primary, lonely):
        one.ask(**load)
    alone = lonely.ask(**load)
    replica = Process(basedir=f"{folder}/replica", replication=True, port=int(primary.opened))
    behind = alone / primary.ask(**load)
    ratios, rates, lsn = list[float](), list[float](), 3 * actions
    for _ in range(TURNS):  # in turn, so that whatever else this machine does meanwhile is done to both
        replica.ask(do="catch up", lsn=lsn)
        alone, level, lsn = lonely.ask(**load), primary.ask(**load), lsn + actions
        ratios.append(alone / level)
        rates.append(actions / level)
    replica.ask(do="catch up", lsn=lsn)
    lag = primary.ask(do="act slowly", rate=median(rates) / 2)
    for one in (replica, primary, lonely):
        one.end()
    return {"behind": behind, "level": median(ratios), "lag": lag}


def catching_up(folder: Path, scale: float) -> dict[str, float]:
    """How fast a new replica reads a long journal, beside how fast the same journal is restored."""
    actions = int(CAUGHT_UP * scale)
    primary = Process(basedir=f"{folder}/primary", master=True, port=0, durability="buffered")
    primary.ask(do="act", actions=actions, threads=1)
    begin = time.perf_counter()
    replica = Process(basedir=f"{folder}/replica", replication=True, port=int(primary.opened))
    replica.ask(do="catch up", lsn=actions)
    caught_up = time.perf_counter() - begin - replica_start(folder)
    replica.end()
    primary.kill()
    gc.collect()
    found = {"rate": actions / caught_up}
    for how in ("killed", "closed"):
        restored = Process(basedir=f"{folder}/primary", durability="buffered")
        restored.end()
        found[how] = restored.opened / caught_up
    return found


def replica_start(folder: Path) -> float:
    """Seconds that it takes to start such a process at all."""
    begin = time.perf_counter()
    process = Process(basedir=f"{folder}/nothing", durability="buffered")
    seconds = time.perf_counter() - begin - process.opened
    process.end()
    return seconds


def measure(rounds: int, scale: float) -> Table:
    """Everything, so many times."""
    seen: dict[tuple[str, str], list[float]] = {}
    for _ in range(rounds):
        for durability in ACTIONS:
            with tempfile.TemporaryDirectory(dir=ROOT / "build", prefix="replication-") as folder:
                for name, figure in cost(Path(folder), durability, scale).items():
                    seen.setdefault((durability, name), []).append(figure)
        with tempfile.TemporaryDirectory(dir=ROOT / "build", prefix="replication-") as folder:
            for name, figure in catching_up(Path(folder), scale).items():
                seen.setdefault(("catch-up", name), []).append(figure)
    of = {key: median(figures) for key, figures in seen.items()}
    rows = [
        at_least("sync calls, 8 threads, with one replica", of["sync", "level"], 0.8),
        at_least("buffered calls, 1 thread, with one replica", of["buffered", "level"], 0.6),
        at_least("sync calls, with one that reads from disk", of["sync", "behind"], 0.8),
        at_least("buffered calls, with one that reads from disk", of["buffered", "behind"], 0.6),
        at_most("lag at half of the sync load", of["sync", "lag"], 0.1),
        at_most("lag at half of the buffered load", of["buffered", "lag"], 0.1),
        at_least(f"catch-up ({count(of['catch-up', 'rate'])}/s) as part of a restore after a kill", of["catch-up", "killed"], 0.5),
        ("as part of one after close()", f"{of['catch-up', 'closed']:.2f}", "", ""),
    ]
    return Table("Replication", ("what", "is", "to reach", ""), tuple(rows))


def at_least(what: str, figure: float, wanted: float) -> tuple[str, ...]:
    """A ratio."""
    return what, f"{figure:.2f}", f"{wanted:g}", judged(figure >= wanted)


def at_most(what: str, seconds: float, wanted: float) -> tuple[str, ...]:
    """A time."""
    return what, f"{seconds * 1000:.0f} ms", f"< {wanted * 1000:.0f} ms", judged(seconds < wanted)


def main() -> int:
    """Measure, print, perhaps write."""
    parser = argparse.ArgumentParser(description="what replicas cost, and how they keep up")
    return run("replication", parser, lambda asked: measure(1, 0.1) if asked.quick else measure(asked.rounds, 1.0))


if __name__ == "__main__":
    sys.exit(main())
