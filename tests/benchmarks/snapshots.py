"""What callers notice of a snapshot: by a forked child, by a fresh process, and in the foreground.

    python tests/benchmarks/snapshots.py [--gigabytes 0.1 0.5 2] [--rounds N] [--quick] [--write]
    make bench                                        the same, after everything else

Each measurement is a process of its own, with one caller that calls an action every other millisecond: closed loops of several threads would
show how they wait for the interpreter. What it sees while a snapshot is taken stands beside what it sees for as long without one.
"""

from __future__ import annotations

import argparse
import gc
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

from coopy import control, init_system
from coopy.disk import RealDisk
from coopy.engine import snapshots
from coopy.forked import fork
from coopy.wiring.systems import system_of
from tests.benchmarks.environments import ROOT
from tests.benchmarks.ledger import Ledger
from tests.benchmarks.page import run
from tests.benchmarks.report import Table, count, judged

CHILD = f"import sys; sys.path.append({str(ROOT)!r}); from tests.benchmarks.snapshots import serve; serve()"
FORK, HELPER, FOREGROUND = "fork", "fresh process", "foreground"
OBJECTS = 500_000
PAUSE = 0.002  # seconds between two calls
LONG = 6.0  # seconds that snapshots are taken for, one at least
ALONE = 2.0  # seconds of calls without a snapshot
BYTES = 330  # of memory for an account
LIMIT = 0.020


def serve() -> None:
    """One measurement, as the line on standard input says; its figures on standard output."""
    request = json.loads(sys.stdin.readline())
    how, objects = request["how"], request["objects"]
    if how == HELPER:
        snapshots.SMALL, snapshots.BEARABLE = 0, -1.0
    else:
        snapshots.BEARABLE = float("inf")
    gc.disable()  # a collection of so many objects would be the longest call of all
    with control(init_system(Ledger(), request["directory"], durability="buffered", validation="off", sync_interval=0.2)) as ledger:
        ledger.open_many(objects)
        segment, bare = median(new_segment(ledger) for _ in range(9)), median(bare_fork() for _ in range(5))
        caller = Caller(ledger, objects)
        time.sleep(ALONE)
        alone = caller.take()
        size, runs = RealDisk().resident(), [one_snapshot(ledger, caller, background=how != FOREGROUND)]
        while sum(run["seconds"] for run in runs) < LONG:
            runs.append(one_snapshot(ledger, caller, background=how != FOREGROUND))
        caller.end()
    middle = {name: median(run[name] for run in runs) for name in runs[0]}
    print(json.dumps({"bytes": size, "floor": segment + (bare if how == FORK else 0), **named("alone", alone), **middle}))


def one_snapshot(ledger: Ledger, caller: Caller, *, background: bool) -> dict[str, float]:
    """What it takes, and what the caller sees meanwhile."""
    caller.take()
    begin = time.perf_counter()
    control(ledger).take_snapshot(background=background)
    control(ledger).wait_snapshot()
    seconds, held = time.perf_counter() - begin, control(ledger).stats().snapshot_pause
    return {"seconds": seconds, "held": held, **named("seen", caller.take())}


def new_segment(ledger: Ledger) -> float:
    """Seconds for what any snapshot begins with, as the disk is now: seven syncs."""
    ledger.deposit(0, 1)
    system = system_of(ledger)
    begin = time.perf_counter()
    system.engine.exclusively(system.rotate)
    return time.perf_counter() - begin


def bare_fork() -> float:
    """Seconds that forking this process takes, whatever the child does."""
    child = fork(lambda _pulse: b"")
    child.wait()
    return child.seconds


def named(name: str, times: list[float]) -> dict[str, float]:
    """The longest call and the 99.9th percentile."""
    times.sort()
    return {f"{name} longest": times[-1], f"{name} p999": times[len(times) * 999 // 1000]}


class Caller:
    """A thread that calls and notes how long each call takes."""

    def __init__(self, ledger: Ledger, objects: int) -> None:
        self._ledger, self._objects, self._times, self._ended = ledger, objects, list[float](), False
        self._thread = threading.Thread(target=self._call)
        self._thread.start()

    def take(self) -> list[float]:
        """The times since the last one."""
        times, self._times = self._times, []
        return times

    def end(self) -> None:
        """No more calls."""
        self._ended = True
        self._thread.join()

    def _call(self) -> None:
        number, clock, deposit = 0, time.perf_counter, self._ledger.deposit
        while not self._ended:
            number = (number + 7919) % self._objects
            begin = clock()
            deposit(number, 1)
            self._times.append(clock() - begin)
            time.sleep(PAUSE)


# --- what is measured ------------------------------------------------------------------------------------------------


def measured(how: str, objects: int) -> dict[str, float]:
    """One process."""
    with tempfile.TemporaryDirectory(dir=ROOT / "build", prefix="snapshots-") as folder:
        request = json.dumps({"how": how, "objects": objects, "directory": str(Path(folder) / "ledger")})
        ran = subprocess.run([sys.executable, "-c", CHILD], input=request, capture_output=True, text=True, cwd=ROOT, check=True)
    figures: dict[str, float] = json.loads(ran.stdout)
    return figures


def measure(sizes: list[int], rounds: int) -> Table:
    """Each way at each number of objects."""
    rows = []
    for objects in sizes:
        for how in (FORK, HELPER, FOREGROUND):
            runs = [measured(how, objects) for _ in range(rounds)]
            rows.append(row(how, objects, {name: median(run[name] for run in runs) for name in runs[0]}))
    heads = ("objects", "process", "by", "lock held", "floor", "longest call", "99.9 % of calls", "without: longest", "99.9 %", "takes", "")
    return Table("Snapshots beside calls", heads, tuple(rows))


def row(how: str, objects: int, of: dict[str, float]) -> tuple[str, ...]:
    """One way at one size."""
    times = (shown(of[name]) for name in ("held", "floor", "seen longest", "seen p999", "alone longest", "alone p999"))
    verdict = judged(of["held"] <= LIMIT) if objects == OBJECTS and how != FOREGROUND else ""
    return count(objects), f"{of['bytes'] / 2**30:.2f} GB", how, *times, f"{of['seconds']:.1f} s", verdict


def shown(seconds: float) -> str:
    """A time, short or long."""
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"


def main() -> int:
    """Measure, print, perhaps write."""
    parser = argparse.ArgumentParser(description="what callers notice of a snapshot")
    parser.add_argument(
        "--gigabytes", type=float, nargs="*", default=[0.1, 0.5], help="sizes of the state beside 500,000 objects (default 0.1 0.5)"
    )

    def asked_for(asked: argparse.Namespace) -> Table:
        sizes = sorted({OBJECTS, *(round(one * 2**30 / BYTES) for one in asked.gigabytes)})
        return measure([50_000], 1) if asked.quick else measure(sizes, asked.rounds)

    return run("snapshots", parser, asked_for, rounds=2)


if __name__ == "__main__":
    sys.exit(main())
