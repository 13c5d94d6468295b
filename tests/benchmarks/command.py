"""The command on a journal of a million actions: how soon and how fast `log` is, and `check` beside plain reading of the same files.

    python tests/benchmarks/command.py [--rounds N] [--quick] [--write]      a table on standard output, with --write also into docs/benchmarks.md
    make bench                                                               the same, after everything else

The files are in the operating system's cache for all of them. Ratios are between two measurements of one round, seconds apart.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from coopy import control, init_system
from coopy.disk import RealDisk
from coopy.engine.check import check_directory
from coopy.engine.opening import Place
from tests.benchmarks.bank import Bank
from tests.benchmarks.environments import ROOT
from tests.benchmarks.page import run
from tests.benchmarks.report import Table, count, judged
from tests.benchmarks.worker import deposit

if TYPE_CHECKING:
    from collections.abc import Callable

ACTIONS = 1_000_000
PIECE = 1 << 20


def fill(directory: str, actions: int) -> None:
    """So many actions, by a run like any other."""
    with control(init_system(Bank, directory, durability="buffered", validation="off")) as bank:
        deposit(bank, range(actions))


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def read_whole(directory: str) -> None:
    """Every file into memory, one after the other."""
    for path in Path(directory).glob("journal-*"):
        RealDisk().read(str(path))


def check(directory: str, *, full: bool) -> None:
    """Everything is whole."""
    assert not any(one.problem for one in check_directory(Place(RealDisk(), directory, b"", ""), full=full))


def log(directory: str) -> tuple[float, float]:
    """Seconds to the first line, and to the last."""
    begin = time.perf_counter()
    with subprocess.Popen([sys.executable, "-m", "coopy", "log", directory], cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        first = time.perf_counter() - begin
        while process.stdout.read(PIECE):
            pass
    return first, time.perf_counter() - begin


def one_round(directory: str, actions: int) -> dict[str, float]:
    """Seconds and rates."""
    found = {"read": seconds(lambda: read_whole(directory)), "check": seconds(lambda: check(directory, full=False))}
    found["full"] = seconds(lambda: check(directory, full=True))
    found["first"], last = log(directory)
    found["lines"] = actions / (last - found["first"])
    return found


def measure(rounds: int, actions: int) -> Table:
    """Everything, so many times."""
    with tempfile.TemporaryDirectory(dir=ROOT / "build", prefix="command-") as folder:
        directory = f"{folder}/bank"
        fill(directory, actions)
        size = sum(path.stat().st_size for path in Path(directory).glob("journal-*"))
        seen = [one_round(directory, actions) for _ in range(rounds)]
    of = {name: median(one[name] for one in seen) for name in seen[0]}
    ratio = median(one["read"] / one["check"] for one in seen)
    slow = median(one["read"] / one["full"] for one in seen)
    rows = [
        ("log: the first line after", f"{of['first']:.2f} s", "1 s", judged(of["first"] < 1)),
        ("log: lines per second", count(of["lines"]), "100k", judged(of["lines"] >= 100_000)),
        (f"check by digests, beside reading {size >> 20} MiB", f"{ratio:.2f}", "0.5", judged(ratio >= 0.5)),
        ("check of each record, beside reading", f"{slow:.3f}", "", ""),
        ("check of each record, per second", count(actions / of["full"]), "", ""),
    ]
    return Table(f"The command on {actions:,} actions", ("what", "is", "to reach", ""), tuple(rows))


def main() -> int:
    """Measure, print, perhaps write."""
    parser = argparse.ArgumentParser(description="how fast the command reads a journal")
    return run("command", parser, lambda asked: measure(1, ACTIONS // 10) if asked.quick else measure(asked.rounds, ACTIONS))


if __name__ == "__main__":
    sys.exit(main())
