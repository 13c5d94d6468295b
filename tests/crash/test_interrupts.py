"""Thousands of SIGINT while threads call: nobody hangs, and what a restart gives is what ran."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from coopy import control, init_system, unlocked
from tests.words import Word

BILLION = 10**9
ENOUGH = 350  # interrupts of each storm, of which there are six
LONG = 400  # seconds, for the longest of `make faults`


class Stormed(Word):
    """Counts by thread where no lock is taken, so that what it holds does not depend on the order of threads."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: dict[int, int] = {}

    @unlocked
    def count(self, thread: int) -> None:
        self.counts[thread] = self.counts.get(thread, 0) + 1


def mark(thread: int, number: int) -> tuple[int, int] | int:
    """Who called and for the how manieth time; every other one as a plain value, which goes the short way."""
    return thread * BILLION + number if number % 2 else (thread, number)


def mix(word: Any, thread: int, number: int) -> None:
    """Every now and then a call of another kind."""
    if number % 5 == 0:
        word.count(thread)
    if number % 31 == 0:
        with contextlib.suppress(ValueError):
            word.add_or_abort("x", True)
    if number % 101 == 0:
        word.take_snapshot()


def storm(directory: str, durability: Any, children: int, seed: int, enough: int, *, mixed: bool) -> dict[str, Any]:  # noqa: C901, PLR0915 - one story
    """Shoot at the main thread as fast as possible, until it was hit often enough, while it and others call; an acknowledged call leaves its number."""
    sys.setswitchinterval(0.0002)  # who shoots comes round, however busy who calls is
    word = init_system(Stormed(), directory, durability=durability)
    stop, done = threading.Event(), [[0], [0], [0], [0]]

    def work(number: int) -> None:
        while not stop.is_set():
            word.keep(mark(number, done[number][0] + 1))
            done[number][0] += 1
            if mixed:
                mix(word, number, done[number][0])

    def shoot() -> None:
        dice = random.Random(seed)
        while not stop.is_set():
            stop.wait(dice.random() / 500)
            os.kill(os.getpid(), signal.SIGINT)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(children)]
    shooter = threading.Thread(target=shoot, daemon=True)
    for thread in (*threads, shooter):
        thread.start()
    armed = [False]  # one interrupt for each entry into the loop: none hits the loop's own handler

    def interrupt(_number: int, _frame: object) -> None:
        if armed[0]:
            armed[0] = False
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)
    hits, begun, acknowledged = 0, [0], []

    def call() -> None:  # a function: in CPython 3.13 the backward jump of a loop directly in `try` may lie outside of it
        while True:
            begun[0] += 1
            word.read()
            word.keep(mark(children, begun[0]))
            acknowledged.append(begun[0])
            if mixed:
                mix(word, children, begun[0])

    while hits < enough:
        try:
            armed[0] = True
            call()
        except KeyboardInterrupt:
            hits += 1
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stop.set()
    for thread in threads:
        thread.join(60)
    hung = sum(thread.is_alive() for thread in threads)
    word.keep(mark(children, begun[0] + 1))  # takes along a call whose caller was interrupted while it waited
    kept = [one if isinstance(one, tuple) else divmod(one, BILLION) for one in word.kept]
    digest, lsn = control(word).digest(), control(word).lsn
    rebuilds = control(word).stats().rebuilds.count
    control(word).close()
    return {
        "hits": hits, "hung": hung, "done": [one[0] for one in done[:children]], "begun": begun[0] + 1, "acknowledged": acknowledged,
        "kept": kept, "digest": digest, "lsn": lsn, "rebuilds": rebuilds,
    }  # fmt: skip


def check_storm(directory: Path, durability: str, children: int, seed: int, enough: int, *, mixed: bool = False) -> int:
    """Run a storm in a child process and look at what it left. Gives how many interrupts hit."""
    command = [
        sys.executable,
        "-m",
        "tests.crash.test_interrupts",
        str(directory),
        durability,
        str(children),
        str(seed),
        str(enough),
        str(int(mixed)),
    ]
    unmeasured = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}  # an interrupt may take its lock
    ran = subprocess.run(command, capture_output=True, text=True, timeout=LONG, check=False, cwd=Path(__file__).parents[2], env=unmeasured)
    assert ran.returncode == 0, ran.stderr[-3000:]
    seen: dict[str, Any] = json.loads(ran.stdout)
    assert seen["hung"] == 0
    kept = [tuple(one) for one in seen["kept"]]
    assert mixed or len(kept) == seen["lsn"]
    for number, count in enumerate(seen["done"]):
        assert [value for thread, value in kept if thread == number] == list(range(1, count + 1))
    mine = [value for thread, value in kept if thread == children]
    assert len(set(mine)) == len(mine)
    assert set(seen["acknowledged"]) <= set(mine) <= set(range(1, seen["begun"] + 1))
    with control(init_system(Stormed, directory)) as word:
        assert control(word).digest() == seen["digest"]
    return int(seen["hits"])


@pytest.mark.parametrize("durability", ["sync", "buffered"])
@pytest.mark.parametrize(("children", "mixed"), [(0, False), (3, False), (3, True)])
def test_interrupts_lose_nothing_double_nothing_and_hang_nobody(tmp_path: Path, durability: str, children: int, mixed: bool) -> None:
    """Each thread's acknowledged calls are there once and in order, and replay gives the same state."""
    assert check_storm(tmp_path / "w", durability, children, seed=1, enough=ENOUGH, mixed=mixed) == ENOUGH


if __name__ == "__main__":
    from tests.crash.test_interrupts import storm  # by the name that a restart finds Stormed under

    print(json.dumps(storm(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]), mixed=sys.argv[6] == "1")))
