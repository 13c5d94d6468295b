"""The streams before the one that is taken from: a node deletes them where that was asked for, by `auto_prune` or by a caller, and else says that they may go.

They go when a new node can begin without them, and no node takes from them any more (generations.py). The servers may not let a node do that: then it is an
administrator's to do, by `coopy cluster prune`.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from coopy.cluster.generations import drop, in_use, missing
from coopy.cluster.link import DeniedError, RefusedError
from coopy.error import ClusterError, UnconfirmedError
from coopy.logs import logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.cluster.generations import Generations
    from coopy.cluster.moving import Moving
    from coopy.engine.system import System

__all__ = ["Pruning"]

log = logger("cluster")
LOOK = 0.05  # seconds between two looks at what others are to do


class Pruning:
    """Of one opening of a node. `former`: how many streams before the one that is taken from were last seen to be there."""

    def __init__(self, system: System, generations: Generations, moving: Moving) -> None:
        self._system, self._generations, self._moving = system, generations, moving
        self._link = moving.here.stream.link
        self._said = ""
        self.former = 0

    # --- the link's thread -----------------------------------------------------------------------------------------------

    async def look(self) -> None:
        """See which there are, and have them go if they may."""
        current, *former = await in_use(await self._generations.begun())
        self.former = len(former)
        if not former or await missing(current, former):
            return
        names = ", ".join(one.name for one in former)
        if not self._system.settings.auto_prune:
            self._say(f"Nobody needs {names} any more: {self._way()} deletes what stands there.")
            return
        try:
            await drop(current, former)
        except (DeniedError, RefusedError) as error:
            self._say(f"Nobody needs {names} any more, and this node could not delete it: {error} {self._way()} does that.")
        else:
            self.former = 0

    def _say(self, what: str) -> None:
        """Once."""
        if what != self._said:
            self._said = what
            log.warning("%s", what)

    def _way(self) -> str:
        return f"`coopy cluster prune {self._moving.here.stream.short} --cluster ADDRESSES`, of a user who may,"

    # --- any thread ------------------------------------------------------------------------------------------------------

    def prune(self, timeout: float, share: Callable[[], object], refuse: Callable[[], None]) -> list[str]:
        """As Control.prune_cluster. `share()` sends a snapshot; `refuse()` raises why the node does not go on."""
        deadline = time.monotonic() + timeout
        if not self._link.run(self._former(), None):
            generation = self._moving.here.stream.generation
            self._link.run(self._moving.begin_next(self._system.archive.identity), None)
            self._wait(lambda: "" if self._moving.here.stream.generation > generation else "this node goes on", deadline, refuse)
        while self._link.run(self._lacks_snapshot(), None):
            self._check_time(deadline, "two snapshots are not there yet")
            share()
        self._wait(lambda: str(self._link.run(self._missing(), None)), deadline, refuse)
        return list(self._link.run(self._drop(), None))

    async def _former(self) -> bool:
        return len(await in_use(await self._generations.begun())) > 1

    async def _lacks_snapshot(self) -> bool:
        current, *_ = await in_use(await self._generations.begun())
        return bool(await missing(current, ()))

    async def _missing(self) -> str:
        current, *former = await in_use(await self._generations.begun())
        return await missing(current, former)

    async def _drop(self) -> list[str]:
        current, *former = await in_use(await self._generations.begun())
        try:
            gone = await drop(current, former)
        except (DeniedError, RefusedError) as error:
            names = ", ".join(one.name for one in former)
            raise ClusterError(
                f"{error} {current.name} goes on, and nobody needs {names}: {self._way()} deletes what stands there."
            ) from error
        self.former = 0
        return gone

    def _wait(self, lacks: Callable[[], str], deadline: float, refuse: Callable[[], None]) -> None:
        pause = threading.Event()
        while what := lacks():
            refuse()
            self._check_time(deadline, what)
            pause.wait(LOOK)

    def _check_time(self, deadline: float, what: str) -> None:
        if time.monotonic() > deadline:
            raise UnconfirmedError(
                f"No stream was deleted: {what}. Nothing is lost by that; call it again.", lsn=self._system.engine.executed
            )
