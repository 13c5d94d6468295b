"""From one stream of a shared journal to the next, its generations: a stream can never be shortened, so it is sealed, and goes as a whole when nobody needs it.

    begin_next     the next stream is made, exactly as one must be; its first message says whose it is, and which one it follows on. Then the seal goes into
                   the one before. One that is there already, and begins so, is one whose maker died before: it is used. Where two do this, they make
                   the same stream, and one of both seals
    sealed         a node has taken all before the seal. Is the next stream the one that the seal names? Then that it goes on there is put on stable storage,
                   and only then does the node take from there, and send there

The order of the sealed stream decides. What stands behind its seal was never written, on all nodes alike: who wrote it has not taken it when it takes the
seal, and so sends it again, into the next, under the same number. LSN, time and the table of numbers go on.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from coopy.cluster.beginnings import INTACT, Beginnings, BehindError
from coopy.cluster.consumer import Consumer
from coopy.cluster.durable import prove
from coopy.cluster.link import PATIENCE, PAUSE, DeniedError, LostError, RefusedError
from coopy.cluster.message import Genesis, Seal, seal
from coopy.error import ClusterError
from coopy.logs import logger

if TYPE_CHECKING:
    from collections.abc import Callable
    from queue import SimpleQueue

    from coopy.cluster.consumer import Arrived
    from coopy.cluster.stream import About
    from coopy.engine.ordered import OrderedEngine
    from coopy.header import Identity

__all__ = ["Moving", "begin_next"]

log = logger("cluster")
HEARD_OF = 5.0  # seconds after which servers know of a stream that was made


async def begin_next(here: Beginnings, identity: Identity, key: bytes) -> None:
    """Have the next stream follow on this one, unless one does already. `key`: of the messages. Raises ClusterError: then none does, or it can be done again.

    On the link's thread.
    """
    if await here.stream.last("seal") is not None:
        return
    about = await here.stream.about()
    if about is None:
        raise ClusterError(f"The stream {here.stream.name} is not there (any more), so that none can follow on it. {INTACT}")
    there = here.of(here.stream.generation + 1)
    await there.stream.create(about)
    made = await there.stream.about()
    if made is None:
        raise LostError(f"The stream {there.stream.name} was made, and is not there.")
    if not here.stream.assume_durable:
        await prove(here.stream.link.addresses, made.peers)
    genesis = Genesis(identity.system, identity.secret, identity.domain, "", b"", 0, there.stream.generation, about.created)
    if not made.last:
        await there.begin(genesis)
    await _check_begins(there, about.created, identity.system)
    data = seal(Seal(there.stream.generation, made.created), key)
    if await here.stream.put_behind("seal", data, 0, f"seal-{there.stream.generation}"):
        log.info("The stream %s is sealed; %s follows.", here.stream.name, there.stream.name)


async def _check_begins(there: Beginnings, before: str, system: bytes) -> None:
    """Raises ClusterError where a stream does not begin as one that follows on that which was made `before`, BehindError where it has not begun."""
    name, genesis = there.stream.name, await there.genesis()
    if genesis is None:
        raise BehindError(f"The stream {name} holds nothing yet.")
    if genesis.system != system:
        raise ClusterError(f"The stream {name} is another system's. {INTACT}", sequence=1)
    if genesis.before != before:
        what = f"The stream {name} does not follow on this one, made at {before}, but on one that was made at {genesis.before}"
        raise ClusterError(f"{what}. {INTACT}", sequence=1)


class Moving:
    """Where a node, whose id is `node`, takes from: `here`, by its `consumer`; `created`: when that stream was made. `key`: of the messages.

    `told`: who hears of each next one, on the link's thread. `problem`: why the next one cannot be reached for now; `made`: consumers of former ones.
    """

    def __init__(  # noqa: PLR0913 - from where to where, and who takes
        self, engine: OrderedEngine, system: bytes, node: bytes, arrived: SimpleQueue[Arrived], here: Beginnings, created: str, key: bytes
    ) -> None:  # fmt: skip
        self._engine, self._system, self._node, self._arrived, self._key = engine, system, node, arrived, key
        self.here, self.created = here, created
        self.told: list[Callable[[Beginnings], object]] = []
        self.problem = ""
        self.made = 0
        self._stopping = False
        last = engine.progress.last
        self.consumer = self._consumer(last.sequence if engine.progress.missing(engine.journal.lsn) else last.sequence + 1)

    def _consumer(self, following: int) -> Consumer:
        here, created, engine = self.here, self.created, self._engine

        async def verify(about: About) -> None:
            last = engine.progress.last
            if last.generation == here.stream.generation:  # else this one is over
                await here.verify(about, created, self._system, last, self._key)

        return Consumer(here.stream.link, here.stream, self._node, following, self._arrived, verify)

    # --- the thread that takes -----------------------------------------------------------------------------------------

    def sealed(self, found: Seal, sequence: int) -> bool:
        """All before the seal, which has this sequence, was taken. Whether the node goes on in the next stream: not where it was stopped meanwhile.

        Raises ClusterError where the next stream is not the one that the seal names; then nothing of the seal was taken.
        """
        link = self.here.stream.link
        there = link.run(self._reach(found, sequence), None)
        if there is None:
            return False
        self._engine.go_on_behind_seal(found.generation)
        link.run(self._move(there, found.created), None)
        log.info("The stream %s is sealed: this node goes on in %s.", there.stream.of(found.generation - 1).name, there.stream.name)
        return True

    def taken(self, reply: str) -> None:
        """As Consumer.taken."""
        self.consumer.taken(reply)

    # --- the link's thread -----------------------------------------------------------------------------------------------

    def expect(self, sequence: int) -> None:
        """As Consumer.expect."""
        self.consumer.expect(sequence)

    async def _reach(self, found: Seal, sequence: int) -> Beginnings | None:
        """The next stream, as soon as somebody says what it is."""
        name, there = self.here.stream.name, self.here.of(found.generation)
        if found.generation != self.here.stream.generation + 1:
            what = f"Message {sequence} of the stream {name} seals it, and names {there.stream.name} as the next, which is not"
            raise ClusterError(f"{what}. Nothing of it was taken. {INTACT}", sequence=sequence)
        begun = time.monotonic()
        while not self._stopping:
            try:
                await self._check_next(there, found, begun)
            except (LostError, RefusedError, DeniedError, BehindError) as error:
                self.problem = str(error)
            except ClusterError as error:
                what = f"Message {sequence} of the stream {name} seals it, and {there.stream.name}, which is to follow, cannot be taken: {error}"
                raise ClusterError(f"{what} Nothing of it was taken.", sequence=sequence) from error
            else:
                self.problem = ""
                return there
            await asyncio.sleep(PAUSE)
        return None

    async def _check_next(self, there: Beginnings, found: Seal, begun: float) -> None:
        about = await there.stream.look()
        if about is None:
            if time.monotonic() - begun < HEARD_OF:
                raise LostError(f"The stream {there.stream.name} is not there yet.")
            raise ClusterError(f"It is not there (any more), and it is not made again. {INTACT}")
        if about.created != found.created:
            raise ClusterError(f"It was made anew at {about.created}: it is not the one of {found.created} that was named. {INTACT}")
        if about.last and (about.deleted or about.first > 1):
            raise ClusterError(f"Messages of it were deleted: it begins with message {about.first}. {INTACT}")
        await _check_begins(there, self.created, self._system)

    async def _move(self, there: Beginnings, created: str) -> None:
        await self.consumer.stop()
        self.made += self.consumer.made
        self.here, self.created = there, created
        self.consumer = self._consumer(2)
        self.consumer.begin_soon()
        for tell in self.told:
            tell(there)

    def stop(self) -> None:
        """Reach for nothing any more. Any thread may call it."""
        self._stopping = True

    async def begin_next(self, identity: Identity) -> None:
        """As begin_next."""
        here = self.here  # it may be another one when this is tried again
        await here.stream.link.again(lambda: begin_next(here, identity, self._key), PATIENCE)
