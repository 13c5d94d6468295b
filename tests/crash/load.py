"""A node in a process of its own, and a load on it: some threads call a desk and say of each call when it began, when it ended, and how.

    python -m tests.crash.load DIRECTORY ADDRESSES NAME MARK SEED

It says lines of JSON: ["begun", mark, ns, object, method], ["ended", mark, ns, outcome, answer], ["again", mark, ns, outcome],
["said", what, value]. It hears "share", "snapshot", "follow", "prune",
"stop" (no more calls), "level" and "state"; it closes when nothing can be heard any more. Outcomes are ok, raised, never (a ClusterError) and unknown (an
UnconfirmedError); some calls are made with a key, and again until it is known what became of them.
"""

from __future__ import annotations

import os
import random
import sys
import threading
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import msgspec

from coopy import control, init_system, linearizable, once
from coopy.cluster import generations
from coopy.error import ClusterError, CoopyError, UnconfirmedError
from coopy.wiring.systems import system_of
from tests.crash.desk import Desk

if TYPE_CHECKING:
    from collections.abc import Callable

THREADS = 3
PATIENCE = 2.0  # seconds until a caller is told
ENOUGH = 15.0  # seconds in which a node that is there has gone on in the next stream, whatever befalls it
EACH = 25  # calls of one thread to one object
METHODS = {"write": 20, "swap": 15, "look": 15, "put": 20, "take": 20, "peek": 6, "refuse": 3, "undo": 1}
READS = {"look", "peek"}
KEYED = 0.25


def say(*what: Any) -> None:
    """A line, whole, whatever becomes of this process afterwards."""
    os.write(1, msgspec.json.encode(what) + b"\n")


class Load:
    """What calls. `over`: no more."""

    def __init__(self, desk: Any, mark: str, seed: str) -> None:
        self.desk, self._mark, self._seed = desk, mark, seed
        self.over = threading.Event()
        self._threads = [threading.Thread(target=self._call_on, args=(number,)) for number in range(THREADS)]

    def start(self) -> None:
        for one in self._threads:
            one.start()

    def stop(self) -> None:
        self.over.set()
        for one in self._threads:
            one.join()

    def _call_on(self, thread: int) -> None:
        dice, number = random.Random(f"{self._seed} {self._mark} {thread}"), 0
        while not self.over.is_set():
            number += 1
            (method,) = dice.choices([*METHODS], [*METHODS.values()])
            kind = "register" if method in {"write", "swap", "look"} else "queue" if method in {"put", "take", "peek"} else ""
            name = f"{kind}{number // EACH}"
            mark = f"{self._mark}.{thread}.{number}"
            call = getattr(self.desk, method)
            given = (name,) if method in READS else (mark, name) if kind else (mark,)
            say("begun", mark, time.monotonic_ns(), name, method)
            if kind and method not in READS and dice.random() < KEYED:
                outcome, answer = self._until_known(mark, lambda call=call, given=given: call(*given))  # type: ignore[misc]
            else:
                outcome, answer = self._outcome(lambda call=call, given=given: call(*given), method in READS)  # type: ignore[misc]
            say("ended", mark, time.monotonic_ns(), outcome, answer)

    def _until_known(self, key: str, call: Callable[[], Any]) -> tuple[str, Any]:
        while True:
            with once(key):
                outcome, answer = self._outcome(call, False)
            if outcome in {"ok", "raised"} or control(self.desk).stats().state != "open":
                return "unknown" if outcome == "never" else outcome, answer
            say("again", key, time.monotonic_ns(), outcome)

    def _outcome(self, call: Callable[[], Any], waits: bool) -> tuple[str, Any]:
        try:
            with linearizable(self.desk) if waits else nullcontext():
                return "ok", call()
        except ValueError as error:
            return "raised", str(error)
        except UnconfirmedError as error:
            return "unknown", str(error)
        except ClusterError as error:
            return "never", str(error)


def main(directory: str, addresses: str, name: str, mark: str, seed: str) -> None:
    """Open, call, do what is said."""
    generations.SETTLED = ENOUGH
    desk = init_system(Desk, directory, cluster=addresses, name=name, validation="off", segment_bytes=65536)
    system_of(desk).peers.running.publisher.patience = PATIENCE  # type: ignore[union-attr]
    load = Load(desk, mark, seed)
    load.start()
    say("said", "open", "")
    for line in sys.stdin:
        what = line.strip()
        try:
            found = do(what, load)
        except CoopyError as error:
            say("said", what, f"{type(error).__name__}: {error}")
        else:
            say("said", what, found)
    load.stop()
    control(desk).close()


def do(what: str, load: Load) -> Any:
    """One thing that was said."""
    desk = load.desk
    if what == "stop":
        load.stop()
    elif what == "level":
        return control(desk).barrier(60), control(desk).digest()
    elif what == "state":
        return desk.happened, desk.registers, desk.queues
    elif what == "share":
        return control(desk).share_snapshot()
    elif what == "snapshot":
        return control(desk).take_snapshot()
    elif what == "prune":
        return control(desk).prune_cluster()
    elif what == "follow":
        peers: Any = system_of(desk).peers
        peers.link.run(peers.running.moving.begin_next(system_of(desk).archive.identity))
    return None


if __name__ == "__main__":
    main(*sys.argv[1:6])
