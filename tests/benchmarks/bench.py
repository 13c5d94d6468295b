"""coopy beside coopy 0.7.0, SQLite, ZODB and a direct call: one interleaved run, medians, ratios.

    make bench                      five rounds, about two minutes beyond the installation of the peers
    make bench ARGS="--quick"       two short rounds: whether it runs, not how fast it is
    make bench ARGS="--write"       the same as the first, and the tables go to docs/benchmarks.md

The story is here; subjects.py says how each one is configured, plan.py what is measured and asked for, worker.py is the child process,
run.py the rounds, report.py the tables. The data is on the disk of the repository: where it is in memory a sync costs nothing.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from datetime import date
from pathlib import Path

from rich.console import Console

from tests.benchmarks.environments import CALLS, ROOT, make_environments
from tests.benchmarks.page import write_part
from tests.benchmarks.report import tables, to_markdown, to_rich
from tests.benchmarks.run import run


def main() -> int:
    """Measure, print, perhaps write. Gives the exit status: 0, also where a target is missed; a benchmark judges nothing but speed."""
    arguments = read_arguments()
    make_environments(CALLS)
    console = Console()
    rounds, scale = (2, 0.1) if arguments.quick else (arguments.rounds, 1.0)
    (ROOT / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / "build", prefix="bench-") as directory, console.status("") as status:
        results = run(Path(directory), rounds, scale, status.update)
    report = tables(results)
    print(where(rounds))
    for table in report:
        console.print(to_rich(table))
    if arguments.write:
        write_part("calls", f"{where(rounds)}\n\n" + "\n\n".join(map(to_markdown, report)))
    return 0


def read_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="coopy beside others, as ratios of one run")
    parser.add_argument("--quick", action="store_true", help="two short rounds")
    parser.add_argument("--rounds", type=int, default=5, help="how often everything is measured (default 5)")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    return parser.parse_args()


def where(rounds: int) -> str:
    """On what, when, how often."""
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, CPython {platform.python_version()}"
    return f"{machine}, {date.today().isoformat()}; medians of {rounds} rounds."


if __name__ == "__main__":
    sys.exit(main())
