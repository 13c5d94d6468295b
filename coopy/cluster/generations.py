"""Which streams a shared journal has: where a node begins, and which of them nobody needs any more.

    fetch        an empty directory gets the newest snapshot that a message names, or the one that the first stream begins with; all after it comes from the
                 streams. The first node of all begins the first stream, with its own state
    left_behind  the stream that a directory was taking from is gone, and later ones go on: the directory gets a snapshot, and what it held goes to quarantine
    missing      what keeps former streams from being deleted: a new node must find two snapshots that can be read, and no node may still be taking from them, nor
                 be about to, as one whose connection was lost a moment ago
    drop         delete them, and the snapshots that they name

Nothing here decides what is executed: that is the order's, and moving.py's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from coopy.cluster.beginnings import Beginnings
from coopy.cluster.durable import prove
from coopy.cluster.link import PATIENCE, NoStreamError
from coopy.cluster.message import Announced, Genesis
from coopy.cluster.store import GoneError, Stored
from coopy.engine.founding import first_snapshot, install, new_identity
from coopy.error import ClusterError, UsageError
from coopy.logs import logger
from coopy.snapshot import temporary_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from coopy.cluster.stream import Stream
    from coopy.disk import Disk
    from coopy.engine.opening import Place
    from coopy.journal.segment import Taken

__all__ = ["Begun", "Generations", "drop", "in_use", "missing"]

log = logger("cluster")
TRIES = 3
ENOUGH = 2  # snapshots of a stream, before those before it may go
SETTLED = 30.0  # seconds in which a node that is there goes on, also where it has just lost its connection or a server its consumer


class Begun(msgspec.Struct, frozen=True):
    """A stream that has begun, how, and the snapshots that it names beside that, the newest first. `left_out`: by the node that joined last; None: none has."""

    beginnings: Beginnings
    genesis: Genesis
    snapshots: list[Announced]
    left_out: frozenset[int] | None

    @property
    def name(self) -> str:
        """The stream's."""
        return self.beginnings.stream.name

    @property
    def generation(self) -> int:
        """The stream's."""
        return self.beginnings.stream.generation

    @property
    def stored(self) -> list[Stored]:
        """The files that a new node may begin with, the best first."""
        return self.without(())

    def without(self, left_out: Iterable[int]) -> list[Stored]:
        """Those of them that hold nothing of these actions."""
        snapshots = [one for one in self.snapshots[:ENOUGH] if all(lsn > one.lsn or lsn in one.left_out for lsn in left_out)]
        found = [Stored(one.snapshot, one.digest, one.size) for one in snapshots]
        return [*found, Stored(self.genesis.snapshot, self.genesis.digest, self.genesis.size)] if self.genesis.snapshot else found


class Generations:
    """Of one cluster. `stream`: any of its streams, whether it is there or not; `key`: the derived signing key."""

    def __init__(self, stream: Stream, key: bytes) -> None:
        self._stream, self._key, self._link = stream, key, stream.link

    # --- any thread but the link's ---------------------------------------------------------------------------------------

    def fetch(self, place: Place, initial: Callable[[object], bytes]) -> None:
        """Make the directory that of a node: with the cluster's state, or where nobody has begun with the one that `initial` gives.

        What it held goes to quarantine.
        """
        begun = self._link.run(self.begun(), None)
        if not begun:
            self._begin(place, initial)
            begun = self._link.run(self.begun(), None)
        if not begun:
            name = self._stream.of(1).name
            raise ClusterError(f"The stream {name} has no first message, though one was put there. Nothing was changed.")
        domain = begun[0].genesis.domain
        if place.domain and not place.names.lead(domain, place.domain):
            what = f"The cluster {self._stream.short!r} at {self._link.addresses} holds a {domain}, not a {place.domain}"
            raise UsageError(f"{what}. Nothing was changed. Open it with that class, or choose another name=.", option="name")
        path = temporary_path(place.directory, 0)
        install(place, self._stream.bucket, path, self._get(begun, place.disk, path))

    def _get(self, begun: Sequence[Begun], disk: Disk, path: str) -> frozenset[int]:
        """Have a snapshot that new nodes begin with. Gives what the cluster leaves out. Where newer ones are named meanwhile, that one may be gone."""
        for _ in range(TRIES):
            left_out = _left_out(begun)
            try:
                self._link.run(_get(begun, left_out, disk, path), None)
            except GoneError:
                begun = self._link.run(self.begun(), None)
            else:
                return left_out
        what = f"{TRIES} times newer snapshots than the one that was taken were sent to the cluster {self._stream.short!r}, and it went"
        raise ClusterError(f"{what}. Nothing was changed. Open the directory again when fewer are sent, or by a faster connection.")

    def _begin(self, place: Place, initial: Callable[[object], bytes]) -> None:
        first = Beginnings(self._stream.of(1), self._key)
        if not self._stream.assume_durable:
            self._link.run(prove(self._link.addresses, None))
        identity = new_identity(place)
        path = first_snapshot(place, identity, initial)
        try:
            self._link.run(first.stream.create())
            stored = self._link.run(first.store.put(place.disk, path), None)
        finally:
            place.disk.unlink(path)
        genesis = Genesis(identity.system, identity.secret, identity.domain, stored.name, stored.digest, stored.size)
        if not self._link.run(self._is_first(first, genesis), None):
            log.info("Another node has begun the stream %s: its state is taken.", first.stream.name)
            self._link.run(first.store.drop(stored.name))

    def left_behind(self, system: bytes, last: Taken) -> bool:
        """Whether the stream that holds the last message that was taken is gone, and later ones of this system go on. Raises ClusterError."""
        found: bool = self._link.run(self._left_behind(system, last), None)
        return found

    def prune(self, agreed: Callable[[str], object]) -> list[str]:
        """Delete the streams that nobody needs any more, once `agreed` was told which, and has raised nothing. Gives their names.

        Raises ClusterError, with what is missing, where there are none, or the user may not.
        """
        current, *former = self._link.run(self._in_use(), None)
        if not former:
            what = f"{current.name} is the only stream of the cluster {self._stream.short!r}, and stays. Nothing was changed"
            raise ClusterError(
                f"{what}. When it is large another one follows on it; control(...).prune_cluster() of a node has that happen at once."
            )
        self._check_missing(current, former)
        names = [one.name for one in former]
        agreed(f"What stands in {', '.join(names)} is deleted for good. {current.name} goes on, with two snapshots.")
        current, *former = self._link.run(self._in_use(), None)  # it may have taken a while: a node that was away may need them now
        former = [one for one in former if one.name in names]
        self._check_missing(current, former)
        gone: list[str] = self._link.run(drop(current, former), None)
        return gone

    def _check_missing(self, current: Begun, former: Sequence[Begun]) -> None:
        lacks = self._link.run(missing(current, former), None)
        if lacks:
            raise ClusterError(f"Nothing was deleted: {lacks}.")

    # --- the link's thread -----------------------------------------------------------------------------------------------

    async def _in_use(self) -> Sequence[Begun]:
        return await in_use(await self.begun())

    async def begun(self) -> list[Begun]:
        """The streams that have begun, the newest first. Raises ClusterError, also where they are not of one system."""
        found = list[Begun]()
        for generation in reversed(await self._link.again(self._stream.generations, PATIENCE)):
            one = await self._look(Beginnings(self._stream.of(generation), self._key))
            if one is None:
                continue
            if found and one.genesis.system != found[0].genesis.system:
                what = f"The streams {found[0].name} and {one.name} are of different systems: somebody has made one of them"
                raise ClusterError(f"{what}. Nothing was changed. Have an administrator of the servers look which.")
            found.append(one)
        return found

    async def _look(self, beginnings: Beginnings) -> Begun | None:
        """None where it has not begun, or is deleted meanwhile."""
        try:
            genesis = await beginnings.genesis()
            return await self._look_into(beginnings, genesis) if genesis is not None else None
        except NoStreamError:
            return None

    async def _look_into(self, beginnings: Beginnings, genesis: Genesis) -> Begun:
        key = beginnings.messages_key(genesis)
        joined, left_out = await self._link.again(lambda: beginnings.left_out(key), PATIENCE)
        return Begun(beginnings, genesis, await beginnings.snapshots(key), left_out if joined else None)

    async def _is_first(self, first: Beginnings, genesis: Genesis) -> bool:
        """Put the first message of all, unless there are later streams: a server may not have known of those. Whether it is there."""
        there = await self._link.again(self._stream.generations, PATIENCE)
        return there[-1:] == [1] and await first.begin(genesis)

    async def _left_behind(self, system: bytes, last: Taken) -> bool:
        about = await self._stream.of(last.generation).about()
        if about is not None and about.last:  # an empty one was made by somebody who did not know of the others
            return False
        later = [one for one in await self.begun() if one.generation > last.generation]
        if later and later[0].genesis.system != system:
            what = f"The stream {self._stream.of(last.generation).name} is gone, and {later[0].name} is another system's than this directory is"
            raise ClusterError(f"{what}. What this node has is intact in its directory. Choose another name=, or directory.", sequence=1)
        return any(one.snapshots for one in later)


def _left_out(begun: Sequence[Begun]) -> frozenset[int]:
    """What the cluster leaves out, as the node says that joined last, or that sent the last snapshot where none has joined since."""
    for one in begun:
        if one.left_out is not None:
            return one.left_out
        if one.snapshots:
            return frozenset(one.snapshots[0].left_out)
    return frozenset()


async def _get(begun: Sequence[Begun], left_out: frozenset[int], disk: Disk, path: str) -> None:
    """The newest snapshot there is. One that cannot be had any more is passed over, and one that holds what is left out since.

    Raises GoneError where newer ones are named by now.
    """
    for one in begun:
        for stored in one.without(left_out):
            try:
                await one.beginnings.store.get(stored, disk, path)
            except ClusterError as error:
                if isinstance(error, GoneError) and stored not in (await _as_named_now(one)).stored:
                    raise
                log.warning("%s One before it is taken instead, and more of the stream.", error)
            else:
                return
    what = f"No snapshot that {' or '.join(one.name for one in begun)} names can be had"
    raise ClusterError(f"{what}. Nothing was changed. control(...).share_snapshot() of a node that is open sends one.")


async def _as_named_now(one: Begun) -> Begun:
    """With the snapshots that it names by now; none where it is deleted."""
    try:
        snapshots = await one.beginnings.snapshots(one.beginnings.messages_key(one.genesis))
    except NoStreamError:
        snapshots = []
    return msgspec.structs.replace(one, snapshots=snapshots)


# --- those that nobody needs, on the link's thread -----------------------------------------------------------------------


async def in_use(begun: Sequence[Begun]) -> Sequence[Begun]:
    """The stream that nodes take from, and those before it; a newer one that nothing was sealed into is none. Raises ClusterError."""
    for place, one in enumerate(begun):
        before = begun[place + 1] if place + 1 < len(begun) else None
        follows = before is not None and before.generation == one.generation - 1
        if one.snapshots or not follows or (before is not None and await before.beginnings.is_sealed()):
            return begun[place:]
    raise ClusterError("The cluster has no stream that has begun. Nothing was changed.")


async def missing(current: Begun, former: Sequence[Begun]) -> str:
    """Why the streams before the current one may not go yet; empty where they may. Raises LostError."""
    found = len(current.snapshots)
    if found < ENOUGH:
        return f"{current.name} names {found} snapshot{'s' if found != 1 else ''}, and {ENOUGH} are to be there: control(...).share_snapshot() of a node sends one"
    for one in former:
        nodes = await one.beginnings.stream.link.again(one.beginnings.stream.nodes, PATIENCE)
        if nodes:
            return f"{len(nodes)} node{'s' if len(nodes) != 1 else ''} still take{'s' if len(nodes) == 1 else ''} from {one.name}"
    if former:
        age = await former[0].beginnings.age_of_seal()
        if age < SETTLED:
            return f"{former[0].name} was sealed {age:.0f} seconds ago, and a node that lost its connection then has {SETTLED:g} to go on"
    return ""


async def _verify(current: Begun) -> None:
    """That two snapshots of it can be read whole. Where newer ones are named meanwhile those that were may go, and the newer are read."""
    for left in reversed(range(TRIES)):
        try:
            for stored in current.stored[:ENOUGH]:
                await current.beginnings.store.verify(stored)
        except GoneError:
            before, current = current, await _as_named_now(current)
            if not left or before.stored == current.stored:
                raise
        else:
            return


async def drop(current: Begun, former: Sequence[Begun]) -> list[str]:
    """Delete the streams before the current one, and the snapshots that they name. Gives the names of the streams.

    Before, two snapshots of the current one are read whole. Raises ClusterError: DeniedError or RefusedError where the user may not.
    """
    await _verify(current)
    for one in reversed(former):
        await current.beginnings.stream.link.again(one.beginnings.stream.delete, PATIENCE)
        log.info("The stream %s was deleted: %s goes on.", one.name, current.name)
        for stored in one.stored:
            await one.beginnings.store.drop(stored.name)
    return [one.name for one in reversed(former)]
