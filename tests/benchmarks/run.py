"""Runs the plan: rounds of all measures of all subjects in turn, each in a fresh child process, so that a slow minute hits all alike."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from tests.benchmarks.environments import ROOT, python_of
from tests.benchmarks.floors import measure_floors
from tests.benchmarks.plan import MEASURES, NEVER_IMPORTED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.benchmarks.plan import Measure

__all__ = ["BYTES", "IMPORT", "Results", "run"]

BYTES, IMPORT = "journal bytes per action", "import"
CHILD = f"import sys; sys.path.append({str(ROOT)!r}); from tests.benchmarks.worker import main; main()"
WATCH_IMPORT = """
import json, sys, time
begin = time.perf_counter()
from coopy.base import init_system
seconds = time.perf_counter() - begin
print(json.dumps([seconds, [name for name in sys.argv[1:] if name in sys.modules]]))
"""


@dataclass
class Results:
    """Everything seen: (measure, subject) -> one figure a round, in actions a second, bytes or seconds; modules that were loaded."""

    figures: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    imported: set[str] = field(default_factory=set)
    rounds: int = 0

    def add(self, measure: str, subject: str, figure: float) -> None:
        """Note one figure."""
        self.figures.setdefault((measure, subject), []).append(figure)

    def median(self, measure: str, subject: str) -> float | None:
        """The middle of the rounds, or None where this was not measured."""
        seen = self.figures.get((measure, subject))
        return median(seen) if seen else None

    def ratio(self, measure: str, subject: str, other: str) -> float:
        """The middle of the rounds' ratios: what is compared was measured seconds apart."""
        pairs = zip(self.figures[measure, subject], self.figures[measure, other], strict=True)
        return median(one / two for one, two in pairs)


def run(directory: Path, rounds: int, scale: float, progress: Callable[[str], None]) -> Results:
    """Measure everything so many times. `scale` shortens the counts; `progress` hears what comes next."""
    results = Results(rounds=rounds)
    watch_import("coopy")  # writes the bytecode
    for number in range(1, rounds + 1):
        for measure in MEASURES.values():
            for subject, count in measure.counts.items():
                progress(f"round {number} of {rounds}: {measure.title}, {subject}")
                run_one(results, directory / subject, measure, subject, int(count * scale))
        for floor, figure in measure_floors(directory, scale).items():
            results.add(floor, "floor", figure)
        run_imports(results)
    return results


def run_one(results: Results, home: Path, measure: Measure, subject: str, count: int) -> None:
    """One measurement of one subject. Only a restore finds what the measurement before it left."""
    if measure.does != "restore":
        shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True, exist_ok=True)
    count -= count % measure.threads
    reply = ask(
        python_of(subject),
        measure=measure.does,
        subject=subject,
        directory=str(home / "bank"),
        durability=measure.durability,
        threads=measure.threads,
        count=count,
    )
    results.add(measure.title, subject, count / reply["seconds"])
    if measure.durability == "buffered" and reply.get("bytes"):
        results.add(BYTES, subject, reply["bytes"])


def ask(python: str, **request: object) -> dict[str, float]:
    """Put one request to a child of its own and read its reply."""
    child = subprocess.run([python, "-I", "-c", CHILD], input=json.dumps(request) + "\n", stdout=subprocess.PIPE, text=True, check=True)
    reply: dict[str, float] = json.loads(child.stdout)
    return reply


def run_imports(results: Results) -> None:
    """What `from coopy import init_system` costs beyond the interpreter that is already there, several times, for it is short."""
    for _ in range(5):
        for subject in ("coopy", "coopy 0.7.0"):
            seconds, modules = watch_import(subject)
            results.add(IMPORT, subject, seconds)
            if subject == "coopy":
                results.imported.update(modules)


def watch_import(subject: str) -> tuple[float, list[str]]:
    """Seconds of one import in a new interpreter, and which of the modules that it must not load it did load."""
    command = [python_of(subject), "-I", "-c", WATCH_IMPORT, *NEVER_IMPORTED]
    seconds, modules = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
    return seconds, modules
