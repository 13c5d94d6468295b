"""Whether the servers go on to keep what they acknowledge: one may come back with another configuration, or of an older version.

They are asked when a server was found again, and from time to time. Where one says that it does not sync every write, or is too old, calls are refused,
before anything of them is sent; queries go on, and what came before is intact. When all is well again, so are calls. A server that says nothing is no
evidence: most are away then, and the others keep the stream. Neither is one that was wrong, as long as it is there for clients: it may be as it was.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from coopy.cluster.durable import judge, named
from coopy.error import ClusterError
from coopy.logs import logger

if TYPE_CHECKING:
    from coopy.cluster.link import Link
    from coopy.cluster.publisher import Publisher

__all__ = ["EVERY", "Watching"]

log = logger("cluster")
EVERY = 30.0  # seconds between two times that all are asked


class Watching:
    """Of one opening of a node. `problem`: which server is not as it must be, and how; empty where none is. All of it belongs to the link's thread."""

    def __init__(self, link: Link, publisher: Publisher) -> None:
        self._link, self._publisher = link, publisher
        self._again = asyncio.Event()
        self._wrong = dict[str, str]()
        self.problem = ""

    async def begin(self) -> None:
        """Begin to ask."""
        self._link.reconnected.append(self._look_again)
        self._link.start(self._watch())

    async def _look_again(self) -> None:
        self._again.set()

    async def _watch(self) -> None:
        while True:
            with suppress(TimeoutError):  # then it is time
                await asyncio.wait_for(self._again.wait(), EVERY)
            self._again.clear()
            found = await judge(self._link.addresses)
            self._wrong = {server: what for server, what in self._wrong.items() if server in found.silent.keys() - found.away} | found.wrong
            self._note(named(self._wrong))

    def _note(self, problem: str) -> None:
        """What is wrong now. Who reads that finds calls refused already, and who reads that nothing is finds them taken."""
        if problem == self.problem:
            return
        if not problem:
            self._publisher.refusal, self.problem = None, ""
            log.warning("What the cluster at %s acknowledges is synced again: calls are taken.", self._link.addresses)
            return
        what = f"What the cluster at {self._link.addresses} acknowledges may be lost: {problem}"
        ways = "Set that right, and restart that server: calls are taken again then, without more"
        refusal = ClusterError(f"{what}. The call was not sent, and did not happen; what came before it is intact. {ways}.")
        self._publisher.refusal, self.problem = refusal, problem
        log.error("Calls are refused for now. %s. %s.", what, ways)
