"""Snapshots for nodes to come, by themselves: when the stream has grown so much since the last one that taking all of that would take long.

    look     when a node begins to follow, and whenever it has taken a good part of that: how much the stream has grown, and whether anybody sees to it
    claim    a message says who does; the servers take only one behind the claim before, so one node takes a snapshot at a time. Should it not come to that
             (the node was killed, its disk is full), another claim is possible when the stream has grown by as much again
    share    the snapshot is taken beside the calls, sent, read again, and named in the stream (beginnings.py). A stream that follows on another has no
             first one: it gets two as soon as may be
    move on  where the stream is large against its snapshots, and has two, the next one follows on it (moving.py)

No clock decides anything. All but `passed` belongs to the link's thread.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from coopy.cluster.beginnings import unsealed
from coopy.cluster.link import PATIENCE
from coopy.cluster.message import Claim, seal
from coopy.error import ClosedError, CoopyError
from coopy.logs import logger
from coopy.snapshot import snapshot_name

if TYPE_CHECKING:
    from coopy.cluster.message import Announced
    from coopy.cluster.moving import Moving
    from coopy.cluster.pruning import Pruning
    from coopy.cluster.stream import About
    from coopy.engine.system import System

__all__ = ["GROWN", "LARGE", "Sharing"]

log = logger("cluster")
GROWN = (
    64 << 20
)  # bytes of the stream behind the last snapshot; as many as that has, if it is larger: sending it costs as much as taking them
PARTS = 8  # looks for each of that
LARGE, TIMES = 512 << 20, 4  # bytes of a stream on which the next one follows; so many times as its last snapshot has, if that is more


class Sharing:
    """Of one opening of a node, whose id is `node`. `key`: of the stream's messages. `shared`: how many it sent by itself."""

    def __init__(self, system: System, moving: Moving, pruning: Pruning, node: bytes, key: bytes) -> None:
        self._system, self._moving, self._pruning, self._node, self._key = system, moving, pruning, node, key
        self._link = moving.here.stream.link
        self._size = 0
        self._looks = self._again = False
        self.shared = 0

    # --- the thread that takes -----------------------------------------------------------------------------------------

    def passed(self, size: int) -> None:
        """So many bytes of the stream were taken."""
        self._size += size
        if self._size * PARTS >= GROWN:
            self.look()

    def look(self) -> None:
        """See whether it is time, unless that is done already. Any thread may call it."""
        self._size = 0
        self._link.soon(self._begin_to_look)

    # --- the link's thread ---------------------------------------------------------------------------------------------

    def _begin_to_look(self) -> None:
        self._again = self._looks
        if not self._looks:
            self._looks = True
            self._link.start(self._look())

    async def _look(self) -> None:
        """Where it fails, the next look is soon enough: whatever was not shared is in the stream."""
        try:
            claim = await self._link.again(self._claim, PATIENCE)
            if claim is not None:
                self.shared += await self._share(await asyncio.to_thread(self._take), claim.behind)
            await self._pruning.look()  # first: where calls come fast, what follows may be due to be followed before it has its snapshots
            await self._move_on()
        except ClosedError:  # while it was taken
            pass
        except CoopyError as error:
            log.warning("The cluster was not given a snapshot, or its stream not followed by another, or deleted: %s", error)
        finally:
            self._looks = False
            if self._again:
                self._begin_to_look()

    async def _claim(self) -> Claim | None:
        """What this node has said, if it is time and this node is the one. Somebody may have named a snapshot meanwhile."""
        here = self._moving.here
        stream, about = here.stream, await here.stream.look()
        _, last = await here.announced(self._key)
        if about is None:
            return None
        behind, turn = last.snapshot if last is not None else "", _turn(stream.generation, about, last)
        if turn < 1:
            return None
        found = await stream.last("claim")
        before = unsealed(stream.name, *found, self._key) if found is not None else None
        if isinstance(before, Claim) and before.behind == behind and before.turn >= turn:
            return None
        claim, sequence = Claim(self._node, behind, turn), found[0] if found is not None else 0
        mine = await stream.put_behind("claim", seal(claim, self._key), sequence, f"{self._node.hex()}-{behind}-{turn}")
        return claim if mine else None

    async def _move_on(self) -> None:
        """Have another stream follow on one that is large; two snapshots show that nodes come by without what is before them."""
        here = self._moving.here
        about, (_, last) = await here.stream.about(), await here.announced(self._key)
        if about is not None and last is not None and last.previous and about.size >= _large(about, last):
            await self._moving.begin_next(self._system.archive.identity)

    def _take(self) -> int:
        """A snapshot, beside the calls; its LSN."""
        self._system.snapshots.begin()
        return self._system.snapshots.wait()

    async def share(self, lsn: int) -> None:
        """Send the one at this LSN. Raises ClusterError."""
        here = None
        while here is not self._moving.here:  # it went behind the seal of the stream: nobody hears of it
            here = self._moving.here
            await self._share(lsn, None)

    async def _share(self, lsn: int, behind: str | None) -> bool:
        archive = self._system.archive
        left_out = archive.manifest.skips
        return await self._moving.here.share(archive.disk, archive.path(snapshot_name(lsn)), lsn, left_out, self._key, behind)


def _large(about: About, last: Announced) -> int:
    """From how many bytes on another stream is to follow. Where an administrator has set a limit, well before that: a seal needs room, too."""
    large, limit = max(LARGE, TIMES * last.size), about.chosen.get("max_bytes", 0)
    return min(large, limit // 2) if limit > 0 else large


def _turn(generation: int, about: About, last: Announced | None) -> int:
    """Which attempt at the snapshot behind the `last` one is due; 0 where none is. A stream that follows on another gets its first two early."""
    early = generation > 1 and (last is None or not last.previous)
    enough = GROWN // PARTS if early else max(GROWN, last.size if last is not None else 0)
    return (about.size - (last.stream if last is not None else 0)) // enough + (early and last is None)
