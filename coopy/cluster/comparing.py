"""Nodes compare their states: at one place in the stream each takes the digest of what it has, beside the calls, and says it in the stream.

    due      a message says that it is time, and which nodes were there then. A node sends it when its own call was the first one behind `EVERY` of the
             time that the actions have: no clock decides anything, and where nothing happens nothing is compared. While nodes still take their digests
             for the last one, that is put off, or slow ones would be asked again and again, each able to speak of another place. `compare()` sends it at once
    take     when all before that message was executed, the digest is taken by a forked child, and goes into the stream
    judge    each node hears what all say (tally.py). One that has another state than most stops; what most have is kept in the journal, so that
             `coopy verify` compares with it

`passed` and `happened` are called by the thread that takes, and so is all that judges. What is sent is the link's thread's.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import OrderedDict
from contextlib import suppress
from threading import Event
from typing import TYPE_CHECKING

from coopy.cluster.link import PATIENCE
from coopy.cluster.message import Digest, Due, seal
from coopy.cluster.tally import Tally
from coopy.digest import digest
from coopy.error import ClusterError, CoopyError, DivergenceError, UnconfirmedError
from coopy.fingerprint import whole
from coopy.logs import logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.cluster.moving import Moving
    from coopy.cluster.saying import Saying
    from coopy.cluster.tally import Compared
    from coopy.disk import Child
    from coopy.engine.ordered import OrderedEngine
    from coopy.engine.system import System

__all__ = ["EVERY", "Comparing"]

log = logger("cluster")
EVERY = 600_000_000  # microseconds of the actions' time between two comparisons
PUT_OFF = 6  # times EVERY, for those that do not speak: they may never
KEPT = 64  # comparisons that are listened to, beside those that somebody here waits for
AT_ONCE = 2  # children
DIGEST = b"="  # in front of a digest; what went wrong has none
LOOK = 0.1  # seconds between two looks whether the node lives
WAYS = (
    "`coopy verify` and `coopy rehearse` on the directory of a node that stopped show whether its journal gives what most have; then remove it and open"
    " the node again, which takes the state from the cluster."
)


class Comparing:
    """Of one opening of a node. `key`: of the stream's messages. `compared`: the LSN at which most were last seen to have what this one has."""

    def __init__(self, system: System, engine: OrderedEngine, moving: Moving, saying: Saying, node: bytes, key: bytes) -> None:
        self._system, self._engine, self._moving, self._saying, self._node, self._key = system, engine, moving, saying, node, key
        self._link = moving.here.stream.link
        self._since = 0
        self._tallies: OrderedDict[bytes, Tally] = OrderedDict()
        self._asked: dict[bytes, Event] = {}
        self._children: dict[bytes, Child] = {}
        self._unheard = set[bytes]()  # in which this node takes part, and has not heard its own word
        self.compared = 0
        self.follows = False

    # --- the thread that takes -----------------------------------------------------------------------------------------

    def passed(self, *, own: bool) -> None:
        """Messages were taken; some of them were this node's `own`. It may be time."""
        now = self._engine.journal.time_us
        if not self._since:
            self._since = now
        elif own and now - self._since >= (EVERY * PUT_OFF if self._unfinished() else EVERY):
            tag, self._since = f"due-{self._since}", now
            self._link.soon(lambda: self._link.start(self._call(tag)))

    def _unfinished(self) -> bool:
        """Whether nodes have not said yet what they have at the last place."""
        return bool(self._tallies) and self._tallies[next(reversed(self._tallies))].missing > 0

    def take_part(self, due: Due) -> None:
        """All before this was executed. A node that does not follow yet says nothing."""
        self._since = self._engine.journal.time_us
        self._saying.heard(due.mark.hex())
        if not self.follows:
            return
        self._tallies[due.mark] = Tally(due)
        self._forget()
        if len(self._children) >= AT_ONCE:
            log.warning("Nodes are compared more often than this one can take its digest: it says nothing this time.")
            return
        try:
            lsn, child = self._engine.apart(self._fork)
        except OSError as error:
            log.warning("The state of this node could not be compared: no process could be forked for it (%s).", error)
            return
        self._children[due.mark] = child
        self._unheard.add(due.mark)
        self._link.soon(lambda: self._link.start(self._say(due.mark, lsn, child)))

    def _forget(self) -> None:
        """Those before the newest, unless somebody here waits for what comes of one."""
        for mark in [*self._tallies][:-KEPT]:
            if mark not in self._unheard and mark not in self._asked:
                del self._tallies[mark]

    def judge(self, said: Digest) -> None:
        """Somebody has spoken. Raises DivergenceError where this node's state is not what most have."""
        if said.node == self._node:
            self._saying.heard(self._tag(said.mark))
        tally = self._tallies.get(said.mark)
        if tally is None:
            return
        tally.hear(said)
        if said.node == self._node:
            self._unheard.discard(said.mark)
        own, asked = tally.own(self._node), self._asked.get(said.mark)
        try:
            if own is not None:
                self._judge(tally, own)
        finally:
            if asked is not None and own is not None and not tally.missing:
                asked.set()

    def _judge(self, tally: Tally, own: Digest) -> None:
        other = tally.otherwise(own)
        if other is not None:
            if tally.agreed(other):
                self._system.vouch(other.lsn, other.digest.hex())
            raise self._diverged(tally, own, other)
        if tally.agreed(own) and own.lsn > self.compared:
            self.compared = own.lsn
            self._system.vouch(own.lsn, own.digest.hex())
        if not tally.missing and tally.unlike(own):
            log.warning(
                "The states of %d nodes were not compared with this one's: their source is another, and classes had other names once.",
                tally.unlike(own),
            )

    def _diverged(self, tally: Tally, own: Digest, other: Digest) -> DivergenceError:
        mine, theirs = own.digest.hex(), other.digest.hex()
        if tally.agreed(own):
            what = "Another node's state is not the one that this one and most have: that node stopped. "
        elif tally.agreed(other):
            what = "This node's state is not the one that most nodes have: it stopped. "
        else:
            what = "The nodes' states differ, and no majority has the same: all stopped. "
        where = f" at LSN {other.lsn}" if other.lsn != own.lsn else ""
        what += f"At LSN {own.lsn} the digest is {mine} here, and {theirs} there{where}. What each has is in its directory as it is"
        return DivergenceError(f"{what}. {WAYS}", lsn=own.lsn, method="", expected=theirs, got=mine, after=self.compared, paths=())

    def _fork(self, root: object) -> Child:
        disk = self._system.archive.disk
        return disk.fork(lambda pulse: _answer(root, pulse)) if disk.can_fork() else _Done(_answer(root, _nothing))

    # --- the link's thread ---------------------------------------------------------------------------------------------

    async def _call(self, tag: str) -> None:
        """It is time. Where that cannot be said now, the next time is soon enough; and nobody compares with itself."""
        try:
            nodes = await self._nodes()
            if len(nodes) > 1:
                await self._moving.here.stream.put_surely("due", seal(Due(secrets.token_bytes(16), nodes), self._key), tag)
        except ClusterError as error:
            log.warning("The nodes could not be asked to compare their states: %s", error)

    def _tag(self, mark: bytes) -> str:
        return f"{self._node.hex()}-{mark.hex()}"

    async def _nodes(self) -> list[bytes]:
        """Those that are there now: this one, and who else takes from the stream."""
        return sorted({self._node, *await self._link.again(self._moving.here.stream.nodes, PATIENCE)})

    async def _say(self, mark: bytes, lsn: int, child: Child) -> None:
        try:
            said = Digest(self._node, mark, lsn, await self._taken(mark, child), self._former())
            await self._saying.say("digest", seal(said, self._key), self._tag(mark))
        except (ChildProcessError, ClusterError) as error:
            self._unheard.discard(mark)
            log.warning("The digest of this node's state at LSN %d was not taken, or could not be said: %s", lsn, error)

    async def _taken(self, mark: bytes, child: Child) -> bytes:
        """What the child gives. Raises ChildProcessError where that is no digest."""
        try:
            answer = await asyncio.to_thread(child.wait)
        finally:
            child.kill()
            del self._children[mark]
        if not answer.startswith(DIGEST):
            raise ChildProcessError(answer.decode())
        return answer[len(DIGEST) :]

    def _former(self) -> bytes:
        """What tells this program's names from another's, as Digest says."""
        source = self._system.archive.source
        return whole(source) if source and self._engine.codec.classes.has_former(source) else b""

    def stop(self) -> None:
        """The link has ended. No child stays that nobody would have waited for."""
        for child in self._children.values():
            child.kill()
            with suppress(ChildProcessError):
                child.wait()

    # --- any thread ----------------------------------------------------------------------------------------------------

    def compare(self, timeout: float, refuse: Callable[[], None]) -> Compared:
        """As Control.compare. `refuse()` raises why the node does not go on."""
        mark, asked = secrets.token_bytes(16), Event()
        self._asked[mark] = asked
        try:
            self._link.run(self._ask_all(mark))
            self._wait(asked, mark, time.monotonic() + timeout, refuse)
            return self._result(self._tallies[mark])
        finally:
            self._saying.heard(mark.hex())
            del self._asked[mark]

    async def _ask_all(self, mark: bytes) -> None:
        await self._saying.say("due", seal(Due(mark, await self._nodes()), self._key), mark.hex())

    def _wait(self, asked: Event, mark: bytes, deadline: float, refuse: Callable[[], None]) -> None:
        while not asked.wait(LOOK):
            refuse()
            if time.monotonic() > deadline:
                tally = self._tallies.get(mark)
                who = f"{tally.missing} of {len(tally.asked)} nodes have" if tally is not None else "the nodes have"
                what = f"The states were not compared in time: {who} not said theirs"
                raise UnconfirmedError(f"{what}. Nothing was changed; those that differ from most stop all the same.", lsn=0)
        refuse()

    def _result(self, tally: Tally) -> Compared:
        own = tally.own(self._node)
        assert own is not None
        other = tally.differing(own)
        if other is not None:
            raise self._diverged(tally, own, other)
        return tally.compared(own)


class _Done:
    """What a child gives, where none can be forked."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self.pid, self.seconds = 0, 0.0

    def wait(self) -> bytes:
        return self._answer

    def kill(self) -> None:
        pass


def _answer(root: object, pulse: Callable[[], None]) -> bytes:
    """The digest's bytes, or why there is none: there is nobody else to hear of it."""
    try:
        return DIGEST + bytes.fromhex(digest(root, pulse))
    except (CoopyError, MemoryError) as error:
        return f"{type(error).__name__}: {error}. Nothing else is wrong.".encode()


def _nothing() -> None:
    pass
