"""Very many connections at a primary's door, from several processes: whoever knows the password gets in, and what the others cost is bounded."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from socket import create_connection
from typing import TYPE_CHECKING, Any, NamedTuple

from coopy import control, init_system
from coopy.replication.wire import FRONT, PRELUDE
from tests.asked import primary_stats, replica_stats
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from socket import socket

ROOT = Path(__file__).parents[2]
BEGUN = PRELUDE + FRONT.pack(1000, 1)  # each sends so much of it as its number says, and no more
SPARE = 200  # descriptors of a process for all else


class Crowd(NamedTuple):
    """`seconds`: how long the slowest of those who know the password took; `grown`: bytes of memory of the primary's; `threads`: its most."""

    connections: int
    seconds: float
    grown: int
    threads: int


def come_in_crowds(folder: Path, connections: int, processes: int) -> Crowd:
    """So many connections, made and held by those who made them. Replicas come before, meanwhile and behind; nobody's session is disturbed. Checks it."""
    with ExitStack() as stack:
        primary = stack.enter_context(child("serve", str(folder / "p")))
        port = ask(primary, "port")
        inside = stack.enter_context(replica(folder / "before", port))
        before = ask(primary, "look")
        crowd = [
            stack.enter_context(child("crowd", str(port), str(connections // processes), f"127.0.{n}.1")) for n in range(1, processes + 1)
        ]
        seconds, threads, opened = list[float](), list[int](), 0
        for name in ("meanwhile", "behind"):
            begin = time.perf_counter()
            late = stack.enter_context(replica(folder / name, port))
            seconds.append(time.perf_counter() - begin)
            token = ask(primary, "add")
            for one in (inside, late):
                control(one).wait_for(token, 60)
                assert replica_stats(one).sessions == 1
            threads.append(ask(primary, "look")["threads"])
            opened = sum(ask(one, "count") for one in crowd)
        end = time.monotonic() + 60
        while (after := ask(primary, "look"))["replicas"] != 3:  # the connection by which the last one got its state may end a moment later
            assert time.monotonic() < end
        assert opened == connections // processes * processes
        return Crowd(opened, max(seconds), after["memory"] - before["memory"], max(threads))


@contextmanager
def replica(directory: Path, port: int) -> Iterator[Any]:
    """One that knows the password."""
    with control(init_system(Word, directory, replication=True, port=port)) as one:
        yield one


@contextmanager
def child(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A process of this file's; it ends when nobody asks it any more."""
    command = [sys.executable, "-m", "tests.crash.crowd", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        yield process
        process.communicate()


def ask(process: subprocess.Popen[str], what: str) -> Any:
    """One question, one answer."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{what}\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())


# --- the processes -----------------------------------------------------------------------------------------------------


def serve(directory: str) -> None:
    """A primary."""
    with control(init_system(Word, directory, master=True, port=0)) as word:
        answers: dict[str, Callable[[], object]] = {
            "port": lambda: control(word).address[1], "add": lambda: added(word), "look": lambda: look(word),
        }  # fmt: skip
        for line in sys.stdin:
            print(json.dumps(answers[line.strip()]()), flush=True)


def added(word: Any) -> str:
    """What a replica has to wait for."""
    word.add("a")
    return control(word).token


def look(word: Any) -> dict[str, float]:
    """What the primary uses."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {
        "memory": int(status["VmRSS"].split()[0]) * 1024, "threads": int(status["Threads"]), "replicas": primary_stats(word).replicas,
    }  # fmt: skip


def crowd(port: str, count: str, source: str) -> None:
    """Connect so often, from one address, say little or nothing, and stay."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, int(count) + SPARE), most))
    held: list[socket] = []
    for number in range(int(count)):
        one = create_connection(("127.0.0.1", int(port)), source_address=(source, 0))
        with suppress(OSError):  # it was shown the door already
            one.sendall(BEGUN[: number % len(BEGUN)])
        held.append(one)
    for _ in sys.stdin:
        print(len(held), flush=True)


if __name__ == "__main__":
    work: Callable[..., None] = {"serve": serve, "crowd": crowd}[sys.argv[1]]  # type: ignore[assignment]  # what each takes, the command line says
    work(*sys.argv[2:])
