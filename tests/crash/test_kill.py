"""Real `kill -9`: what was acknowledged is there, nothing is there twice, nothing is invented."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from coopy import control, init_system
from tests.words import Word

KILLS = 20  # of each kind; `make faults` does 150 and more
THREADS = 4


def child(directory: str, durability: Any, threads: int) -> None:
    """Call until killed; each acknowledged call goes to the parent as "thread number" before the next."""
    word = init_system(Word, directory, durability=durability, segment_bytes=16384)
    start = len(word.kept)

    def work(thread: int) -> None:
        for number in range(1_000_000):
            word.keep((start, thread, number))
            os.write(1, b"%d %d\n" % (thread, number))

    for thread in range(threads):
        threading.Thread(target=work, args=(thread,)).start()


def kill_one(directory: Path, durability: str, threads: int, calls: int) -> dict[int, int]:
    """Start a child, kill it after so many acknowledged calls; the highest acknowledged number of each thread."""
    command = [sys.executable, "-m", "tests.crash.test_kill", str(directory), durability, str(threads)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as process:
        assert process.stdout is not None
        lines = [line for line, _ in zip(process.stdout, range(calls), strict=False)]
        process.send_signal(signal.SIGKILL)
        lines += [line for line in process.stdout if line.endswith(b"\n")]
    assert lines, "the child died before it called"
    return {int(thread): int(number) for thread, number in (line.split() for line in lines)}


def kill_many(directory: Path, durability: str, threads: int, kills: int, seed: int) -> int:
    """Kill, restart, compare, again and again on one directory. Gives how many calls were acknowledged."""
    dice, acknowledged = random.Random(seed), 0
    for _ in range(kills):
        with control(init_system(Word, directory)) as word:
            start = len(word.kept)
        last = kill_one(directory, durability, threads, dice.randint(1, 200))
        with control(init_system(Word, directory)) as word:
            kept = [one for one in word.kept[start:] if one[0] == start]
            assert len(kept) == len(word.kept) - start
            for thread in range(threads):
                numbers = [number for _, one, number in kept if one == thread]
                assert numbers == list(range(len(numbers))), f"seed {seed}: lost, doubled or out of order"
                assert len(numbers) > last.get(thread, -1), f"seed {seed}: an acknowledged call is lost"
            if dice.random() < 0.3:
                control(word).take_snapshot()
            acknowledged += sum(last.values()) + len(last)
    return acknowledged


@pytest.mark.parametrize(("durability", "threads"), [("sync", 1), ("sync", THREADS), ("buffered", THREADS)])
def test_a_killed_process_loses_no_acknowledged_call(tmp_path: Path, durability: str, threads: int) -> None:
    """One directory, killed and restarted many times."""
    assert kill_many(tmp_path / "w", durability, threads, KILLS, seed=threads) > KILLS


if __name__ == "__main__":
    child(sys.argv[1], sys.argv[2], int(sys.argv[3]))
