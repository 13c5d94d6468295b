"""Real `kill -9`: what was acknowledged is there, nothing is there twice, nothing is invented."""

from __future__ import annotations

import contextlib
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from coopy import control, init_system
from coopy.disk import RealDisk
from coopy.engine.check import check_directory
from coopy.engine.drafts import Beside
from coopy.engine.opening import Place
from coopy.error import DurabilityError
from coopy.wiring.systems import system_of
from tests.words import Word

KILLS = 8  # of each kind; `make faults` does 150 and more
DRAFTS = 30  # snapshots whose process is killed
THREADS = 4


def kill_one(directory: Path, durability: str, threads: int, calls: int, snapshot_time: float = 0) -> dict[int, int]:
    """Start a child, kill it after so many acknowledged calls; the highest acknowledged number of each thread."""
    command = [sys.executable, "-m", "tests.crash.shot_at", "alone", str(directory), durability, str(threads), str(snapshot_time)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as process:
        assert process.stdout is not None
        lines = [line for line, _ in zip(process.stdout, range(calls), strict=False)]
        process.send_signal(signal.SIGKILL)
        lines += [line for line in process.stdout if line.endswith(b"\n")]
    assert lines, "the child died before it called"
    return {int(thread): int(number) for thread, number in (line.split() for line in lines)}


def kill_many(directory: Path, durability: str, threads: int, kills: int, seed: int, snapshot_time: float = 0) -> int:
    """Kill, restart, compare, again and again on one directory. Gives how many calls were acknowledged."""
    dice, acknowledged, start = random.Random(seed), 0, 0
    for _ in range(kills):
        last = kill_one(directory, durability, threads, dice.randint(1, 60), snapshot_time)
        with control(init_system(Word, directory)) as word:
            kept = [one for one in word.kept[start:] if one[0] == start]
            assert len(kept) == len(word.kept) - start
            for thread in range(threads):
                numbers = [number for _, one, number in kept if one == thread]
                assert numbers == list(range(len(numbers))), f"seed {seed}: lost, doubled or out of order"
                assert len(numbers) > last.get(thread, -1), f"seed {seed}: an acknowledged call is lost"
            start = len(word.kept)
            if dice.random() < 0.3:
                control(word).take_snapshot()
            acknowledged += sum(last.values()) + len(last)
    return acknowledged


@pytest.mark.parametrize(("durability", "threads"), [("sync", 1), ("sync", THREADS), ("buffered", THREADS)])
def test_a_killed_process_loses_no_acknowledged_call(tmp_path: Path, durability: str, threads: int) -> None:
    """One directory, killed and restarted many times."""
    assert kill_many(tmp_path / "w", durability, threads, KILLS, seed=threads) > KILLS


def test_nor_does_one_that_takes_snapshots_all_the_time(tmp_path: Path) -> None:
    """Whatever of a snapshot is there at that moment; what the killed one had begun is gone after the next start, what was not listed after the next one."""
    assert kill_many(tmp_path / "w", "buffered", THREADS, KILLS, seed=7, snapshot_time=0.002) > KILLS
    assert [path.name for path in (tmp_path / "w").iterdir() if path.suffix == ".tmp"] == []
    with control(init_system(Word, tmp_path / "w")) as word:
        word.add("a")
        control(word).take_snapshot()
        assert len(list((tmp_path / "w").glob("snapshot-*"))) == 2


@pytest.mark.parametrize("durability", ["sync", "buffered"])
def test_a_snapshot_whose_process_is_killed_is_none(tmp_path: Path, durability: Any) -> None:
    """At any moment of its life: what is listed is whole, and the word is what was called."""
    dice = random.Random(8)
    word: Any = init_system(Word, tmp_path / "w", durability=durability, keep_snapshots=1000)
    system_of(word).snapshots.helper = None  # by a fork, also where the suite has made this process large
    for number in range(DRAFTS):
        word.keep("a" * dice.randint(1, 50_000))
        word.take_snapshot(background=True)
        for _ in range(dice.randint(0, 40)):
            word.add("b")
        job = system_of(word).snapshots._job
        if job is not None and isinstance(job.draft, Beside):
            job.draft.child.kill()
        with contextlib.suppress(DurabilityError):
            assert control(word).wait_snapshot() <= control(word).lsn, number
    stats, digest = control(word).stats(), control(word).digest()
    assert stats.snapshots.count + stats.snapshots_failed == DRAFTS
    assert stats.snapshots_failed > DRAFTS / 12
    control(word).close()
    assert all(not one.problem for one in check_directory(Place(RealDisk(), str(tmp_path / "w"), b"", "")))
    with control(init_system(Word, tmp_path / "w")) as word:
        assert control(word).digest() == digest
