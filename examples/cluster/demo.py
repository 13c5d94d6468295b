"""The demonstration of a cluster: three nodes, three servers, and a bad day for one of each.

    python -m examples.cluster.demo

Three servers run on this machine, and three nodes of one notice board, in processes of their own: eight people pin notes on each, all at once, and what
each was told goes into a pipe. In the middle the server that leads the stream is killed with SIGKILL, and a node with it. The others go on, by
themselves; what was killed is started again. In the end each node's directory is opened: they must be equal, and hold every note of which somebody was
told, once, under the number that was told. The exit status is 1 otherwise.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.table import Table

from coopy import control, init_system
from coopy.cluster.local import LocalServers
from examples.cluster.board import Board

ROOT = Path(__file__).parents[2]
NODES = 3
BEFORE, MEANWHILE, AFTER = 1500, 300, 300  # notes of each node that are waited for
PATIENCE = 120.0
console = Console()


class Node:
    """A node's process, and the notes of which somebody was told: (number, text)."""

    def __init__(self, folder: Path, addresses: str, name: str) -> None:
        self.told: list[tuple[int, str]] = []
        self._more = threading.Condition()
        command = [sys.executable, "-m", "examples.cluster.node", str(folder / name[:5]), addresses, name]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            number, _, text = line.decode().rstrip("\n").partition("\t")
            with self._more:
                self.told.append((int(number), text))
                self._more.notify_all()

    def wait(self, count: int) -> None:
        """Until so many more were told."""
        with self._more:
            wanted = len(self.told) + count
            if not self._more.wait_for(lambda: len(self.told) >= wanted, PATIENCE):
                raise SystemExit(f"The node does not get on: it told of {len(self.told)} notes.")

    def kill(self) -> None:
        """As a crash does."""
        self.process.kill()
        self.process.wait()
        self._reader.join()

    def close(self) -> None:
        """In good order."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()
        self._reader.join()


def main() -> int:
    """The whole story. Gives the exit status."""
    with tempfile.TemporaryDirectory(prefix="coopy-demo-") as parent, ExitStack() as stack:
        folder = Path(parent)
        console.print(f"Starting three servers and {NODES} nodes ...")
        servers = stack.enter_context(LocalServers(folder / "servers"))
        nodes = [Node(folder, servers.urls, f"node{number}") for number in range(NODES)]
        for one in nodes:
            stack.callback(one.process.kill)
        ended, rate, pause = have_a_bad_day(folder, servers, nodes)
        return report(folder, servers, [one for node in (*ended, *nodes) for one in node.told], rate, pause)


def have_a_bad_day(folder: Path, servers: LocalServers, nodes: list[Node]) -> tuple[list[Node], float, float]:
    """Gives the nodes that were killed; notes a second before; for how many seconds nobody was told of anything."""
    for one in nodes:
        one.wait(1)
    begin, told = time.perf_counter(), sum(len(one.told) for one in nodes)
    for one in nodes:
        one.wait(BEFORE)
    rate = (sum(len(one.told) for one in nodes) - told) / (time.perf_counter() - begin)
    leader, killed = servers.leader("board") or servers.servers[0], nodes[0]
    console.print(f"kill -9 of {leader.name}, which leads the stream, and of a node ...")
    leader.kill()
    killed.kill()
    begin = time.perf_counter()
    for one in nodes[1:]:
        one.wait(1)
    pause = time.perf_counter() - begin
    for one in nodes[1:]:
        one.wait(MEANWHILE)
    console.print("The others have gone on. Starting both again ...")
    leader.start()
    servers.wait_ready()
    nodes[0] = Node(folder, servers.urls, "node0-again")
    for one in nodes:
        one.wait(AFTER)
    for one in nodes:
        one.close()
    return [killed], rate, pause


def report(folder: Path, servers: LocalServers, told: list[tuple[int, str]], rate: float, pause: float) -> int:
    """Open the nodes, compare, print the table. Gives the exit status."""
    with ExitStack() as stack:
        boards = [
            stack.enter_context(control(init_system(Board, str(folder / f"node{number}"), cluster=servers.urls))) for number in range(NODES)
        ]
        for board in boards:
            control(board).barrier()
        digests, texts = {control(board).digest() for board in boards}, boards[0].texts()
    lost = sum(texts[number - 1 : number] != [text] for number, text in told)
    doubled = sum(count - 1 for count in Counter(texts).values())
    good, table = len(digests) == 1 and not lost and not doubled, Table(show_header=False)
    table.add_row("acknowledged", f"{len(told):,}")
    table.add_row("in the cluster (with calls in flight at the kill)", f"{len(texts):,}")
    table.add_row("lost", f"[bold {'red' if lost else 'green'}]{lost:,}[/]")
    table.add_row("doubled", f"[bold {'red' if doubled else 'green'}]{doubled:,}[/]")
    table.add_row("digests of the three nodes", "[bold green]equal[/]" if len(digests) == 1 else "[bold red]different[/]")
    table.add_row(f"actions per second, {NODES} nodes", f"{rate:,.0f}")
    table.add_row("seconds until all others went on after the kill", f"{pause:.1f}")
    console.print(table)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
