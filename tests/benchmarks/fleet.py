"""Three processes that call a cluster, so many calls in flight in all: the same load for everyone, and what they saw of it.

The parent has a `Caller` for each process and speaks to it in lines of JSON; a child runs `serve` with what it can do. Each task calls, again as soon
as it has its answer, and a third of the tasks is in each process. Children run in environments of their own: nothing of coopy is imported here.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from tests.benchmarks.environments import ROOT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

__all__ = ["CALLERS", "Caller", "Seen", "agree", "fly", "free_ports", "load", "serve"]

CALLERS = 3
WARM = 1.0  # seconds before those that count
LEAD = 0.2  # seconds until all have begun
ACCOUNTS = 100


class Caller:
    """A child process. `function`: what it runs, "module:name"; `arguments`: its command line."""

    def __init__(self, python: str, function: str, *arguments: str) -> None:
        module, _, name = function.partition(":")
        child = f"import sys; sys.path.append({str(ROOT)!r}); from {module} import {name}; {name}(*sys.argv[1:])"
        command = [python, "-c", child, *arguments]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)

    def tell(self, what: str, **how: Any) -> None:
        """Have it do something."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"what": what, **how}) + "\n")
        self._process.stdin.flush()

    def answer(self) -> Any:
        """What came of it; the first answer says that it is open."""
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def end(self) -> None:
        """Close it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def serve(does: dict[str, Callable[..., Any]]) -> None:
    """The child's side: say that it is open, and do what it is told until there is no more."""
    print(json.dumps("open"), flush=True)
    for line in sys.stdin:
        how = json.loads(line)
        print(json.dumps(does[how.pop("what")](**how)), flush=True)


class Seen:
    """What one caller saw of one load, from its beginning: which calls count, how long they took, what they cost this process."""

    def __init__(self, begin: float, seconds: float) -> None:
        self.begin, self.end = begin, begin + seconds
        self._took: list[float] = []
        self._cpu = os.times()

    def note(self, begun: float) -> None:
        """A call has its answer."""
        if begun >= self.begin:
            self._took.append(time.time() - begun)

    def told(self) -> dict[str, Any]:
        """For the parent."""
        now = os.times()
        return {"took": self._took, "cpu": now.user + now.system - self._cpu.user - self._cpu.system}


async def load(act: Callable[[str], Awaitable[object]], tasks: int, begin: float, seconds: float) -> dict[str, Any]:
    """So many tasks for so long. `act(account)`: the action."""
    seen = Seen(begin, seconds)

    async def call(account: str) -> None:
        while (begun := time.time()) < seen.end:
            await act(account)
            seen.note(begun)

    await asyncio.sleep(max(begin - WARM - time.time(), 0))
    await asyncio.gather(*map(call, accounts(tasks)))
    return seen.told()


def accounts(tasks: int) -> list[str]:
    """Which account each task changes."""
    return [f"account-{number % ACCOUNTS}" for number in range(tasks)]


def fly(callers: Sequence[Caller], flight: int, seconds: float) -> dict[str, float]:
    """Figures of so many actions in flight: a second, how long half and 99 of 100 took, what one cost the callers' processors."""
    begin = time.time() + WARM + LEAD
    for number, caller in enumerate(callers):
        caller.tell("load", tasks=flight // CALLERS + (number < flight % CALLERS), begin=begin, seconds=seconds)
    seen = [caller.answer() for caller in callers]
    took = sorted(one for each in seen for one in each["took"]) or [seconds]
    cpu = sum(each["cpu"] for each in seen) / (len(took) * (seconds + WARM) / seconds)
    return {"rate": len(took) / seconds, "half": took[len(took) // 2], "most": took[len(took) * 99 // 100], "cpu": cpu}


def agree(callers: Sequence[Caller]) -> bool:
    """Whether all have the same state once they have all that was acknowledged."""
    for caller in callers:
        caller.tell("look")
    return len({json.dumps(caller.answer()) for caller in callers}) == 1


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports
