"""Three nodes in processes of their own, all calling at once, killed and started again: nothing that was acknowledged is lost, nothing happens twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from coopy import control, init_system
from tests.servers import Cluster, cluster, level, servers
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["cluster", "servers"]
ROOT = Path(__file__).parents[2]
THREADS, KILLS = 4, 4


def child(directory: str, urls: str, name: str, mark: str) -> None:
    """Open a node and call from some threads until killed, or until nobody listens; each call that returned is said, with the place it was told."""
    word = init_system(Word, directory, cluster=urls, name=name, validation="off", segment_bytes=65536)
    os.write(1, b"open\n")
    over = threading.Event()

    def call(thread: int) -> None:
        number = 0
        while not over.is_set():
            what = f"{mark}.{thread}.{number}"
            os.write(1, f"{what} {word.keep(what)}\n".encode())
            number += 1

    threads = [threading.Thread(target=call, args=(thread,)) for thread in range(THREADS)]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    over.set()
    for thread in threads:
        thread.join()
    control(word).close()


class Caller:
    """A node's process, and what it said."""

    def __init__(self, cluster: Cluster, number: int, mark: str) -> None:
        command = [
            sys.executable,
            "-m",
            "tests.crash.test_cluster_kill",
            str(cluster.folder / f"node{number}"),
            cluster.servers.urls,
            cluster.name,
            mark,
        ]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
        self.said: list[tuple[str, int]] = []
        self._more = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            words = line.decode().split()
            if line.endswith(b"\n") and len(words) == 2:
                with self._more:
                    self.said.append((words[0], int(words[1])))
                    self._more.notify_all()

    def wait(self, count: int) -> None:
        """Until so many more of its calls have returned."""
        with self._more:
            wanted = len(self.said) + count
            assert self._more.wait_for(lambda: len(self.said) >= wanted, timeout=60), "it does not get on"

    def kill(self) -> None:
        """In the middle of whatever it does."""
        self._process.send_signal(signal.SIGKILL)
        self._end()

    def close(self) -> None:
        """In good order."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._end()
        assert self._process.returncode == 0

    def _end(self) -> None:
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


@contextmanager
def callers(cluster: Cluster) -> Iterator[list[Caller]]:
    """Three, that are killed in the end, if they still run."""
    with ExitStack() as stack:
        made = [Caller(cluster, number, f"{number}-0") for number in (1, 2, 3)]
        for one in made:
            stack.callback(one.kill)
        yield made
        stack.pop_all()


def test_nodes_that_are_killed_while_all_call_lose_nothing_and_do_nothing_twice(cluster: Cluster) -> None:
    """Each comes back with its directory, one of them with an empty one; in the end all are equal, and hold every call that returned at its place."""
    dice, ended = random.Random(17), list[Caller]()
    with callers(cluster) as running:
        for one in running:
            one.wait(10)
        for kill in range(KILLS):
            which = dice.randrange(3)
            running[which].kill()
            ended.append(running[which])
            for other in {0, 1, 2} - {which}:
                running[other].wait(20)
            if kill == KILLS - 1:
                lose_all(cluster.folder / f"node{which + 1}")
            running[which] = Caller(cluster, which + 1, f"{which + 1}-{kill + 1}")
            running[which].wait(10)
        for one in running:
            one.close()
            ended.append(one)
    nodes = [cluster.node(number) for number in (1, 2, 3)]
    level(*nodes)
    kept, said = nodes[0].kept, [one for caller in ended for one in caller.said]
    assert len(said) > 100
    assert len(kept) == len({*kept}), "a call happened twice"
    assert all(kept[place - 1] == what for what, place in said), "a call that returned is not at its place"


def lose_all(directory: Path) -> None:
    """Nothing is left of a node."""
    for file in sorted(directory.rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()


if __name__ == "__main__":
    child(*sys.argv[1:])
