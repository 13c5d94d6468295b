"""How a stream begins, which snapshots it names, and whether it is the one that a directory is of.

    begin      a first message says whose it is. Two may try at once: the stream takes one
    share      a node's snapshot goes to the object store, is read again there, and a message names it; of those before it the newest is kept
    verify     the stream was made when it was, begins as it did, has lost nothing, and holds the last message that was taken here

The first message is authenticated by the signing key if there is one; it carries the secret that keys all others.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from coopy.cluster.link import PATIENCE, NoStreamError
from coopy.cluster.message import Announced, Calls, Genesis, Join, Sealed, keyed, seal, unseal
from coopy.cluster.store import Store
from coopy.error import ClusterError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coopy.cluster.stream import About, Stream
    from coopy.disk import Disk
    from coopy.journal.segment import Taken

__all__ = ["Beginnings", "BehindError", "unsealed"]

INTACT = "What this node has is intact in its directory."


class BehindError(ClusterError):
    """A server says less than what was taken here: it lost that, or was cut off and will know better."""


class Beginnings:
    """Of one stream. `key`: the derived signing key. All of it belongs to the link's thread."""

    def __init__(self, stream: Stream, key: bytes) -> None:
        self.stream, self._key = stream, key
        self.store = Store(stream)

    def of(self, generation: int) -> Beginnings:
        """Those of another stream of the cluster."""
        return Beginnings(self.stream.of(generation), self._key)

    def messages_key(self, genesis: Genesis) -> bytes:
        """The key of all messages but the first."""
        return keyed(genesis.secret, self._key)

    async def begin(self, genesis: Genesis) -> bool:
        """Until it is known that there is a first message. Whether it is this one."""
        data = seal(genesis, keyed(b"", self._key))

        async def publish() -> bool:
            await self.stream.begin(data, genesis.system.hex())
            return await self.stream.get(1) == data

        return await self.stream.link.again(publish, PATIENCE)

    async def genesis(self) -> Genesis | None:
        """What the stream begins with; None where there is no stream, or nothing in it. Raises ClusterError."""
        about = await self.stream.about()
        if about is None or not about.last:
            return None
        return await self.stream.link.again(lambda: self._first(about), PATIENCE)

    async def left_out(self, key: bytes) -> tuple[int, frozenset[int]]:
        """What the node that joined last leaves out, and that message's sequence, 0 without. `key`: of the stream's messages."""
        found = await self.stream.last("join")
        if found is None:
            return 0, frozenset()
        message = unsealed(self.stream.name, *found, key)
        return found[0], frozenset(message.left_out if isinstance(message, Join) else ())

    async def is_sealed(self) -> bool:
        """Whether another stream follows on this one, also where it is deleted: then one does. Raises LostError."""
        try:
            return await self.stream.link.again(lambda: self.stream.last("seal"), PATIENCE) is not None
        except NoStreamError:
            return True

    async def age_of_seal(self) -> float:
        """How many seconds ago it was sealed; without an end where it is deleted. Raises LostError."""
        try:
            return await self.stream.link.again(lambda: self.stream.age("seal"), PATIENCE)
        except NoStreamError:
            return math.inf

    async def snapshots(self, key: bytes) -> list[Announced]:
        """Those that messages name, the newest first: two of them are there. `key`: of the stream's messages."""
        messages = await self.stream.link.again(lambda: self.stream.all("snapshot"), PATIENCE)
        found = [unsealed(self.stream.name, *one, key) for one in reversed(messages)]
        return [one for one in found if isinstance(one, Announced)]

    async def announced(self, key: bytes) -> tuple[int, Announced | None]:
        """The newest snapshot that a message names, and that one's sequence, 0 without. `key`: of the stream's messages."""
        found = await self.stream.last("snapshot")
        message = unsealed(self.stream.name, *found, key) if found is not None else None
        return found[0] if found is not None else 0, message if isinstance(message, Announced) else None

    async def share(self, disk: Disk, path: str, lsn: int, left_out: Iterable[int], key: bytes, behind: str | None = None) -> bool:
        """A snapshot file, for those who come. Whether it is named in the stream; not where a newer one is, or one that is not `behind` (None: any).

        `left_out`: what its node leaves out; `key`: of the stream's messages. Raises ClusterError.
        """
        about = await self.stream.about()
        sequence, before = await self.stream.link.again(lambda: self.announced(key), PATIENCE)
        name = before.snapshot if before is not None else ""
        if about is None or behind not in {None, name} or (before is not None and not self._is_wanted(lsn, before)):
            return False
        stored = await self.store.put(disk, path)
        await self.store.verify(stored)
        data = seal(Announced(lsn, stored.name, stored.digest, stored.size, name, about.size, [*left_out]), key)
        mine = await self.stream.put_behind("snapshot", data, sequence, stored.name)
        if not mine or await self._is_behind_seal(data):  # another node was faster, or nobody hears of it
            await self.store.drop(stored.name)
            return False
        if before is not None and before.previous:
            await self.store.drop(before.previous)
        return True

    def _is_wanted(self, lsn: int, before: Announced) -> bool:
        """Whether a snapshot at this LSN is worth being sent: where a stream has no first one, a second one like the first is, too."""
        is_second = self.stream.generation > 1 and not before.previous
        return lsn > before.lsn or (is_second and lsn == before.lsn)

    async def _is_behind_seal(self, announced: bytes) -> bool:
        """Whether the stream was sealed before this message, the last of its kind."""
        link = self.stream.link
        sealed = await link.again(lambda: self.stream.last("seal"), PATIENCE)
        last = await link.again(lambda: self.stream.last("snapshot"), PATIENCE)
        return sealed is not None and last is not None and last[1] == announced and last[0] > sealed[0]

    async def _first(self, about: About) -> Genesis:
        data, name = await self.stream.get(1), self.stream.name
        if data is None:
            what = f"The stream {name} begins with message {about.first}, and its first one is gone: it was damaged"
            raise ClusterError(f"{what}. Nothing was changed.", sequence=1)
        try:
            message = unsealed(name, 1, data, keyed(b"", self._key))
        except ClusterError as error:
            raise ClusterError(
                f"{error} Give the signing_key= that its other nodes have, or none if they have none.", sequence=1
            ) from error
        if not isinstance(message, Genesis) or message.generation != self.stream.generation:
            raise ClusterError(f"The stream {name} does not begin as a shared journal of coopy's does. Nothing was changed.", sequence=1)
        return message

    async def verify(self, about: About, created: str, system: bytes, last: Taken, key: bytes) -> None:
        """Is it the stream that was made then, of this system, with this message as the last that was taken?

        `key`: of its messages. Raises ClusterError where it is not, BehindError where the answer is no evidence.
        """
        name = self.stream.name
        if about.created != created:
            raise ClusterError(f"The stream {name} was made anew at {about.created}: it is not the one that was there before. {INTACT}")
        if about.deleted or about.first > 1:
            how = f"{about.deleted} messages were deleted" if about.deleted else f"it begins with message {about.first}"
            raise ClusterError(f"The stream {name} is not what it was: {how}. {INTACT}", sequence=about.first)
        if about.last < last.sequence:  # a leader that was cut off may not know better: time will tell
            what = f"The stream {name} ends with message {about.last} there, and message {last.sequence} was taken here"
            ways = "A server that was cut off knows better in a while; if it stays so, the servers have lost what they acknowledged"
            raise BehindError(f"{what}. {INTACT} {ways}.")
        genesis = await self._first(about)
        if genesis.system != system:
            raise ClusterError(
                f"The stream {name} is another system's than this directory is. {INTACT} Choose another name=, or directory."
            )
        if last.sequence > 1:
            await self._verify_last(last, key)

    async def _verify_last(self, last: Taken, key: bytes) -> None:
        name, data = self.stream.name, await self.stream.get(last.sequence)
        if data is None:
            what = f"Message {last.sequence} of the stream {name}, which was taken here, is not there any more: it is damaged"
            raise ClusterError(f"{what}. {INTACT}", sequence=last.sequence)
        message = unsealed(name, last.sequence, data, key)
        writer = message.node if isinstance(message, Calls | Join) else b""  # as the taker has it
        if (writer, getattr(message, "counter", 0)) != (last.node, last.counter):
            what = f"Message {last.sequence} of the stream {name} is not the one that was taken here: it is of another history"
            raise ClusterError(f"{what}. {INTACT}", sequence=last.sequence)


def unsealed(stream: str, sequence: int, data: bytes, key: bytes) -> Sealed:
    """A message of the stream. Raises ClusterError that names it."""
    try:
        return unseal(data, key)
    except ClusterError as error:
        what = f"Message {sequence} of the stream {stream} cannot be taken: {error}. Somebody else may have put it there"
        raise ClusterError(f"{what}. Nothing of it was taken. {INTACT}", sequence=sequence) from error
