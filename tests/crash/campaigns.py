"""`make faults`: what does not fit into the suite. Each campaign prints its seed, its counts and its time; a failure names the seed that repeats it.

python -m tests.crash.campaigns [NAME ...] [--seed N]
"""

from __future__ import annotations

import argparse
import logging
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.crash import fates
from tests.crash.crowd import come_in_crowds
from tests.crash.test_damage import KEY, cut_off, flip_bits
from tests.crash.test_interrupts import check_storm
from tests.crash.test_journal_crash import FAILURES, crash_everywhere, fail_everywhere
from tests.crash.test_kill import kill_many
from tests.crash.test_once_crash import WAYS, ask_again
from tests.crash.test_power_cut import FAILURES as ERRORS
from tests.crash.test_power_cut import cut_power, fail_calls
from tests.simulation.world import run_seed

if TYPE_CHECKING:
    from collections.abc import Callable

DURABILITIES: tuple[Any, ...] = ("sync", "buffered")


def bits(seed: int) -> str:
    """A flipped bit in every byte of every file."""
    refused = sum(flip_bits(close, key, 1, seed) for close in (True, False) for key in (None, KEY))
    return f"{refused} openings refused, 0 wrong states"


def cuts(seed: int) -> str:
    """Every file cut off at every byte."""
    return f"{sum(cut_off(close, 1, seed) for close in (True, False))} cases, 0 wrong states"


def power(seed: int) -> str:
    """The power cut at every I/O call, ten subsets of what survives; or the process killed."""
    return f"{sum(cut_power(durability, 10, 1, seed) for durability in DURABILITIES)} states, 0 acknowledged calls lost"


def again(seed: int) -> str:
    """Who asks again, with the same keys, after a cut at every I/O call."""
    return f"{sum(ask_again(*way, 1, seed) for way in WAYS)} callers came back, 0 calls missing, 0 doubled"


def failures(seed: int) -> str:
    """Every call of the operating system failing once, in each way."""
    count = sum(fail_calls(durability, how, 1, seed) for durability in DURABILITIES for how in ERRORS)
    return f"{count} failures, 0 acknowledged calls lost"


def kills(seed: int) -> str:
    """Real kill -9."""
    count = 75
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as directory:
        acknowledged = sum(kill_many(Path(directory) / durability, durability, 4, count, seed) for durability in DURABILITIES)
    return f"{2 * count} kills, {acknowledged} acknowledged calls, 0 lost"


def interrupts(seed: int) -> str:
    """SIGINT as fast as it goes, alone, among three other threads, and among calls of every kind."""
    hits = 0
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as directory:
        for durability in DURABILITIES:
            for children, mixed in ((0, False), (3, False), (3, True)):
                where = Path(directory) / f"{durability}{children}{mixed}"
                hits += check_storm(where, durability, children, seed, 3500, mixed=mixed)
    return f"{hits} interrupts, 0 hung, 0 lost, 0 doubled"


def journal(seed: int) -> str:
    """The journal alone: 200 pieces of work, each cut off and failing at every call."""
    states = sum(
        crash_everywhere(one, 20) + sum(fail_everywhere(one, how) for how in FAILURES) for one in range(seed * 1000, seed * 1000 + 200)
    )
    return f"{states} states, 0 synced records lost, 0 invented, 0 called damage"


def replication(seed: int) -> str:
    """Worlds of a primary and three replicas, SEEDS of them (in the environment)."""
    count, acked, forgone = int(os.environ.get("SEEDS", "2000")), 0, 0
    for one in range(seed * 1_000_000, seed * 1_000_000 + count):
        world = run_seed(one)
        acked, forgone = acked + len(world.acked), forgone + len(world.forgone)
    return f"{count} seeds, {acked + forgone} acknowledged calls, 0 lost, {forgone} forgone by who promoted, 0 divergences"


def crowd(_seed: int) -> str:
    """Ten thousand connections at a primary's door."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as directory:
        found = come_in_crowds(Path(directory), 10_000, 4)
    what = f"{found.connections} connections made and held, the right client was in after {found.seconds:.1f} s at most"
    return f"{what}, the primary grew by {found.grown / 1e6:.1f} MB and had {found.threads} threads"


def cluster(seed: int) -> str:
    """Three nodes and three servers, SEEDS schedules of faults (in the environment); histories are judged. One that fails keeps no other back."""
    count, told, failed = int(os.environ.get("SEEDS", "30")), list[fates.Told](), list[str]()
    for one in range(seed * 1000, seed * 1000 + count):
        try:
            with tempfile.TemporaryDirectory(dir=Path.cwd()) as directory:
                told.append(fates.run(Path(directory), one, fates.drawn(one, 4)))
        except AssertionError as error:
            failed.append(str(error))
    assert not failed, f"{len(failed)} of {count} schedules:\n" + "\n\n".join(failed)
    acknowledged = sum(one.acknowledged + one.raised for one in told)
    unknown, never = sum(one.unknown for one in told), sum(one.never for one in told)
    return f"{count} schedules, {acknowledged} acknowledged calls, 0 lost, 0 doubled; {unknown} of unknown outcome, {never} refused"


CAMPAIGNS: dict[str, Callable[[int], str]] = {
    one.__name__: one for one in (bits, cuts, power, again, failures, journal, replication, crowd, kills, interrupts, cluster)
}


def main() -> None:
    """Run the campaigns that were asked for, else all."""
    parser = argparse.ArgumentParser(description="Long crash and fault campaigns.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(CAMPAIGNS))
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    if unknown := set(chosen.names) - set(CAMPAIGNS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    logging.getLogger("coopy").setLevel(logging.ERROR)  # torn tails are what is looked for
    for name in chosen.names or CAMPAIGNS:
        begin = time.perf_counter()
        print(f"{name:12} seed {chosen.seed}: ", end="", flush=True)
        print(f"{CAMPAIGNS[name](chosen.seed)} ({time.perf_counter() - begin:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
