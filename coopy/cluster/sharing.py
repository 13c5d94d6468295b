"""Snapshots for nodes to come, by themselves: when the stream has grown so much since the last one that taking all of that would take long.

    look     when a node begins to follow, and whenever it has taken a good part of that: how much the stream has grown, and whether anybody sees to it
    claim    a message says who does; the servers take only one behind the claim before, so one node takes a snapshot at a time. Should it not come to that
             (the node was killed, its disk is full), another claim is possible when the stream has grown by as much again
    share    the snapshot is taken beside the calls, sent, read again, and named in the stream (beginnings.py)

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
    from coopy.cluster.beginnings import Beginnings
    from coopy.cluster.stream import Stream
    from coopy.engine.system import System

__all__ = ["GROWN", "Sharing"]

log = logger("cluster")
GROWN = (
    64 << 20
)  # bytes of the stream behind the last snapshot; as many as that has, if it is larger: sending it costs as much as taking them
PARTS = 8  # looks for each of that


class Sharing:
    """Of one opening of a node, whose id is `node`. `key`: of the stream's messages. `shared`: how many it sent by itself."""

    def __init__(self, system: System, beginnings: Beginnings, stream: Stream, node: bytes, key: bytes) -> None:
        self._system, self._beginnings, self._stream, self._link, self._node, self._key = system, beginnings, stream, stream.link, node, key
        self._size = 0
        self._looks = False
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
        if not self._looks:
            self._looks = True
            self._link.start(self._look())

    async def _look(self) -> None:
        """Where it fails, the next look is soon enough: whatever was not shared is in the stream."""
        try:
            claim = await self._link.again(self._claim, PATIENCE)
            if claim is not None:
                self.shared += await self._share(await asyncio.to_thread(self._take), claim.behind)
        except ClosedError:  # while it was taken
            pass
        except CoopyError as error:
            log.warning("No snapshot was sent to the cluster: %s", error)
        finally:
            self._looks = False

    async def _claim(self) -> Claim | None:
        """What this node has said, if it is time and this node is the one. Somebody may have named a snapshot meanwhile."""
        about = await self._stream.look()
        _, last = await self._beginnings.announced(self._key)
        if about is None:
            return None
        behind, enough = (last.snapshot, max(GROWN, last.size)) if last is not None else ("", GROWN)
        turn = (about.size - (last.stream if last is not None else 0)) // enough
        if turn < 1:
            return None
        found = await self._stream.last("claim")
        before = unsealed(self._stream.name, *found, self._key) if found is not None else None
        if isinstance(before, Claim) and before.behind == behind and before.turn >= turn:
            return None
        claim, sequence = Claim(self._node, behind, turn), found[0] if found is not None else 0
        mine = await self._stream.put_behind("claim", seal(claim, self._key), sequence, f"{self._node.hex()}-{behind}-{turn}")
        return claim if mine else None

    def _take(self) -> int:
        """A snapshot, beside the calls; its LSN."""
        self._system.snapshots.begin()
        return self._system.snapshots.wait()

    async def share(self, lsn: int) -> None:
        """Send the one at this LSN. Raises ClusterError."""
        await self._share(lsn, None)

    async def _share(self, lsn: int, behind: str | None) -> bool:
        archive = self._system.archive
        return await self._beginnings.share(archive.disk, archive.path(snapshot_name(lsn)), lsn, archive.manifest.skips, self._key, behind)
