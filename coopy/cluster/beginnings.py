"""How a shared journal begins, how a directory gets its state, and whether a stream is the one that a directory is of.

    begin      the first node of all: a stream, its state as a snapshot in the object store, and a first message that names it. Two may try at once: the
               stream takes one first message, and the other node takes that state
    fetch      an empty directory gets the newest snapshot that a message names, or the first one; all after it comes from the stream
    share      a node's snapshot goes to the object store, is read again there, and a message names it; of those before it the newest is kept
    verify     the stream was made when it was, begins as it did, has lost nothing, and holds the last message that was taken here

The first message is authenticated by the signing key if there is one; it carries the secret that keys all others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.cluster.durable import prove
from coopy.cluster.link import PATIENCE
from coopy.cluster.message import Announced, Calls, Genesis, Join, Sealed, keyed, seal, unseal
from coopy.cluster.store import Store, Stored
from coopy.engine.founding import first_snapshot, install, new_identity
from coopy.error import ClusterError, UsageError
from coopy.logs import logger
from coopy.snapshot import temporary_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from coopy.cluster.stream import About, Stream
    from coopy.disk import Disk
    from coopy.engine.opening import Place
    from coopy.journal.segment import Taken

__all__ = ["Beginnings", "BehindError", "unsealed"]

log = logger("cluster")
INTACT = "What this node has is intact in its directory."


class BehindError(ClusterError):
    """A server says less than what was taken here: it lost that, or was cut off and will know better."""


class Beginnings:
    """Of one stream. `key`: the derived signing key."""

    def __init__(self, stream: Stream, key: bytes) -> None:
        self._stream, self._key = stream, key
        self._link, self._store = stream.link, Store(stream)

    # --- any thread ------------------------------------------------------------------------------------------------------

    def fetch(self, place: Place, initial: Callable[[object], bytes]) -> None:
        """Make an empty directory that of a node: with the cluster's state, or where nobody has begun with the one that `initial` gives."""
        genesis = self._link.run(self.genesis())
        if genesis is None:
            self._begin(place, initial)
            genesis = self._link.run(self.genesis())
        if genesis is None:
            raise ClusterError(f"The stream {self._stream.name} has no first message, though one was put there. Nothing was changed.")
        if place.domain and not place.names.lead(genesis.domain, place.domain):
            what = f"The cluster {self._stream.short!r} at {self._link.addresses} holds a {genesis.domain}, not a {place.domain}"
            raise UsageError(f"{what}. Nothing was changed. Open it with that class, or choose another name=.", option="name")
        path = temporary_path(place.directory, 0)
        left_out = self._link.run(self._get(genesis, place.disk, path), None)
        install(place, self._stream.name, path, left_out)

    def _begin(self, place: Place, initial: Callable[[object], bytes]) -> None:
        if not self._stream.assume_durable:
            self._link.run(prove(self._link.addresses, None))
        identity = new_identity(place)
        path = first_snapshot(place, identity, initial)
        try:
            self._link.run(self._stream.create())
            stored = self._link.run(self._store.put(place.disk, path), None)
        finally:
            place.disk.unlink(path)
        genesis = Genesis(identity.system, identity.secret, identity.domain, stored.name, stored.digest, stored.size)
        if not self._link.run(self._publish(seal(genesis, keyed(b"", self._key)), identity.system.hex()), None):
            log.info("Another node has begun the stream %s: its state is taken.", self._stream.name)
            self._link.run(self._store.drop(stored.name))

    # --- the link's thread -----------------------------------------------------------------------------------------------

    async def _publish(self, data: bytes, tag: str) -> bool:
        """Until it is known that there is a first message. Whether it is this one."""

        async def publish() -> bool:
            await self._stream.begin(data, tag)
            return await self._stream.get(1) == data

        return await self._link.again(publish, PATIENCE)

    async def genesis(self) -> Genesis | None:
        """What the stream begins with; None where there is no stream, or nothing in it. Raises ClusterError."""
        about = await self._stream.about()
        if about is None or not about.last:
            return None
        return await self._link.again(lambda: self._first(about), PATIENCE)

    async def _get(self, genesis: Genesis, disk: Disk, path: str) -> frozenset[int]:
        """The newest snapshot there is; gives what the cluster leaves out.

        One that cannot be had any more is passed over, and one that holds what is left out since: the first one is always there.
        """
        key = keyed(genesis.secret, self._key)
        _, left_out = await self._link.again(lambda: self.left_out(key), PATIENCE)
        _, announced = await self._link.again(lambda: self.announced(key), PATIENCE)
        if announced is not None and all(lsn > announced.lsn or lsn in announced.left_out for lsn in left_out):
            try:
                await self._store.get(Stored(announced.snapshot, announced.digest, announced.size), disk, path)
            except ClusterError as error:
                log.warning("%s The first one is taken instead, and all of the stream.", error)
            else:
                return left_out
        await self._store.get(Stored(genesis.snapshot, genesis.digest, genesis.size), disk, path)
        return left_out

    async def left_out(self, key: bytes) -> tuple[int, frozenset[int]]:
        """What the node that joined last leaves out, and that message's sequence, 0 without. `key`: of the stream's messages."""
        found = await self._stream.last("join")
        if found is None:
            return 0, frozenset()
        message = unsealed(self._stream.name, *found, key)
        return found[0], frozenset(message.left_out if isinstance(message, Join) else ())

    async def announced(self, key: bytes) -> tuple[int, Announced | None]:
        """The newest snapshot that a message names, and that one's sequence, 0 without. `key`: of the stream's messages."""
        found = await self._stream.last("snapshot")
        message = unsealed(self._stream.name, *found, key) if found is not None else None
        return found[0] if found is not None else 0, message if isinstance(message, Announced) else None

    async def share(self, disk: Disk, path: str, lsn: int, left_out: Iterable[int], key: bytes, behind: str | None = None) -> bool:
        """A snapshot file, for those who come. Whether it is named in the stream; not where a newer one is, or one that is not `behind` (None: any).

        `left_out`: what its node leaves out; `key`: of the stream's messages. Raises ClusterError.
        """
        about = await self._stream.about()
        sequence, before = await self.announced(key)
        name = before.snapshot if before is not None else ""
        if about is None or (before is not None and before.lsn >= lsn) or behind not in {None, name}:
            return False
        stored = await self._store.put(disk, path)
        await self._store.verify(stored)
        announced = Announced(lsn, stored.name, stored.digest, stored.size, name, about.size, [*left_out])
        if not await self._stream.put_behind("snapshot", seal(announced, key), sequence, stored.name):
            await self._store.drop(stored.name)  # another node was faster
            return False
        if before is not None and before.previous:
            await self._store.drop(before.previous)
        return True

    async def _first(self, about: About) -> Genesis:
        data, name = await self._stream.get(1), self._stream.name
        if data is None:
            what = f"The stream {name} begins with message {about.first}, and its first one is gone: it was damaged"
            raise ClusterError(f"{what}. Nothing was changed.", sequence=1)
        try:
            message = unsealed(name, 1, data, keyed(b"", self._key))
        except ClusterError as error:
            raise ClusterError(
                f"{error} Give the signing_key= that its other nodes have, or none if they have none.", sequence=1
            ) from error
        if not isinstance(message, Genesis):
            raise ClusterError(f"The stream {name} does not begin as a shared journal of coopy's does. Nothing was changed.", sequence=1)
        return message

    async def verify(self, about: About, created: str, system: bytes, last: Taken, key: bytes) -> None:
        """Is it the stream that was made then, of this system, with this message as the last that was taken?

        `key`: of its messages. Raises ClusterError where it is not, BehindError where the answer is no evidence.
        """
        name = self._stream.name
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
        name, data = self._stream.name, await self._stream.get(last.sequence)
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
