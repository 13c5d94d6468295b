"""The primary's side of the protocol: what came goes in, what is to be sent comes out. No sockets, no threads, no waiting; time is asked for.

    receive    a message changes where the session stands: one method each, `_HEAR` below; wire.py says which may come when
    next       what is to be sent now: answers, then a snapshot file, then frames, in pieces that the connection takes
    wait       how long there is nothing to do unless something comes

Nothing is shipped that is not on stable storage here, and nothing is read ahead: what a slow replica has not taken is on disk.

Who owns what: `Shipper` is shared by all sessions, its list guarded; everything of a `Shipping` but `acked` and `shipped` is its thread's.
"""

from __future__ import annotations

import math
from _thread import allocate_lock
from typing import TYPE_CHECKING, Any, ClassVar

from coopy.error import AuthenticationError, ReplicaError
from coopy.journal.tail import Source, Tail
from coopy.logs import logger
from coopy.replication.handshake import AUTHENTICATION, CLOSING, FENCED, answer
from coopy.replication.wire import (
    BEAT,
    MANY,
    PATIENCE,
    Ack,
    Beat,
    Challenge,
    Chunk,
    Connection,
    First,
    Frames,
    Hello,
    LostError,
    PeerError,
    Proof,
    Refused,
    Side,
    Verified,
    Welcome,
)
from coopy.snapshot import SnapshotHeader, open_snapshot, snapshot_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.disk import File
    from coopy.engine.system import System
    from coopy.header import Identity
    from coopy.replication.auth import Verifiers
    from coopy.replication.wire import Message

__all__ = ["Shipper", "Shipping"]

log = logger("replication")
PENALTY = 0.5  # seconds that a wrong password costs whoever sends it
FRESH = 0.05  # seconds after records in which the replica hears up to where it is level with them
LOOK = {"sync": 0.025, "buffered": 0.01}  # seconds between two looks at the journal, by what a primary with that many syncs can spare
PROMPT = 0.02  # and where callers wait for replicas; whoever does wakes it


def _nobody() -> None:
    """Nobody waits for acknowledgements."""


class Shipper:
    """What the sessions of one primary share: its journal, what is kept of the password, who has what. `acknowledged` is called when one has more."""

    def __init__(self, system: System, verifiers: Verifiers, min_acks: int, now: Callable[[], float]) -> None:
        self.system, self.verifiers, self.min_acks, self.now = system, verifiers, min_acks, now
        archive, journal = system.archive, system.engine.journal
        self.source = Source(archive.disk, archive.directory, archive.key, lambda: archive.manifest.segments, lambda: journal.durable)
        self.acknowledged: Callable[[], None] = _nobody
        self.look = PROMPT if min_acks else LOOK[system.settings.durability]
        self.refused = self._shipped_before = 0
        self._guard = allocate_lock()
        self._sessions: list[Shipping] = []

    def forked(self) -> None:
        """In a forked child: a guard that another thread of the parent held is nobody's here."""
        self._guard = allocate_lock()

    def enter(self, session: Shipping) -> None:
        """It has proven the password."""
        with self._guard:
            self._sessions.append(session)

    def leave(self, session: Shipping) -> None:
        """It is over. May be repeated."""
        with self._guard:
            if session in self._sessions:
                self._sessions.remove(session)
                self._shipped_before += session.shipped

    def sessions(self) -> list[Shipping]:
        """Those that have proven the password."""
        with self._guard:
            return [*self._sessions]

    def shipped(self) -> int:
        """Bytes, of all sessions that there are and were."""
        with self._guard:
            return self._shipped_before + sum(session.shipped for session in self._sessions)

    def confirmed(self) -> int:
        """The LSN that `min_acks` replicas have. One that came again while its former connection is not known to be lost counts once."""
        each: dict[bytes, int] = {}
        for session in self.sessions():
            each[session.replica] = max(session.acked, each.get(session.replica, 0))
        acked = sorted(each.values(), reverse=True)
        return acked[self.min_acks - 1] if len(acked) >= self.min_acks else 0

    def fence(self, why: str, epoch: int) -> None:
        """A replica knows a newer primary, of this epoch: this one takes no more actions, or there would be two histories."""
        what = f"This was the primary, and a newer one has taken over ({why}). Nothing was recorded"
        self.system.fence(
            ReplicaError(
                f"{what}. Call the newer one; open this directory with replication=True to follow it.", primary="the newer primary"
            ),
            epoch,
        )


class _History:
    """What handshake.History asks, of a journal that grows meanwhile."""

    def __init__(self, identity: Identity, epoch: int, source: Source, tail: Tail) -> None:
        self.identity, self.epoch, self._source, self.holds = identity, epoch, source, tail.find

    def last(self) -> int:
        return self._source.durable()

    def first(self) -> int:
        return self._source.segments()[0].first_lsn


class Shipping:
    """One replica's session. `ended`: why it was refused, once that has been said; `is_trusted`: it has proven the password.

    `acked`: what the replica has on stable storage; `replica`: which one it is; `shipped`: bytes of frames and of the snapshot.
    """

    def __init__(self, shipper: Shipper, peer: str, binding: bytes, deadline: float) -> None:
        self._shipper, self._peer, self._now = shipper, peer, shipper.now
        self.acked = self.shipped = 0
        self.replica = b""
        self.ended, self.is_trusted = "", False
        self._connection = Connection(Side.PRIMARY)
        self._verifier = shipper.verifiers.begin(binding)
        self._out: list[bytes] = []
        self._deadline = deadline  # of the next message that must come
        self._penalty = self._next_beat = math.inf
        self._tail = Tail(shipper.source, shipper.system.archive.identity)
        self._next_look = -math.inf
        self._file: File | None = None  # the snapshot, while it is sent
        self._offset = self._size = 0

    # --- in and out --------------------------------------------------------------------------------------------------------

    def receive(self, data: bytes) -> None:
        """What came, empty where nothing did. Raises PeerError, and LostError where nothing comes any more: the session is of no use then."""
        if self._penalty < math.inf:  # nothing that comes behind a wrong password is looked at
            return
        now = self._now()
        if data and self._next_beat < math.inf:
            self._deadline = now + PATIENCE
        if now >= self._deadline:
            raise LostError(f"{self._peer} has said nothing for too long.")
        for message in self._connection.receive(data):
            self._HEAR[type(message)](self, message)

    def next(self, waiting: int) -> bytes:
        """What is to be sent now, where so many bytes have not left yet; empty: nothing. Raises ReplicaError where the journal was pruned."""
        self._look_at_clock(waiting)
        if waiting < MANY and self._next_beat < math.inf and not self.ended and self._is_time_to_look():
            self._ship()
        out, self._out = b"".join(self._out), []
        return out

    def rest(self, waiting: int) -> bytes:
        """As `next`, and as if it was time to look at the journal. Empty: everything was given, or it is too early for frames."""
        if self._file is not None:
            return b""
        self._next_look = -math.inf
        return self.next(waiting)

    def wait(self, waiting: int) -> float:
        """Seconds, after `next` gave nothing, until it is to be asked again though nothing came."""
        if self._next_beat == math.inf:
            return max(min(self._deadline, self._penalty) - self._now(), 0)
        return BEAT if waiting >= MANY else max(self._next_look - self._now(), 0)

    def close(self) -> None:
        """Give back what it has open. May be repeated."""
        self._tail.close()
        self._close_snapshot()
        self._shipper.leave(self)

    def _say(self, message: Message) -> None:
        self._out.append(self._connection.send(message))

    def _look_at_clock(self, waiting: int) -> None:
        now = self._now()
        if now >= self._penalty:
            self._penalty = math.inf
            self._refuse(AUTHENTICATION, "the password was not proven")
        elif now >= self._next_beat and waiting < MANY and not self.ended:  # it may live and be too busy to read
            self._next_beat = now + BEAT
            self._say(Beat(self._shipper.system.engine.journal.epoch, self._shipper.source.durable()))

    def _refuse(self, code: str, text: str) -> None:
        """Say so. It is the last that is said."""
        self._shipper.refused += 1
        say = log.info if code in {AUTHENTICATION, CLOSING} else log.warning
        say("%s was refused: %s.", self._peer, text)
        self._say(Refused(code, text[:400]))
        self.ended = text

    # --- who is it ---------------------------------------------------------------------------------------------------------

    def _first(self, message: First) -> None:
        try:
            self._say(Challenge(self._verifier.challenge(message.text)))
        except AuthenticationError as error:
            self._punish(error)

    def _proof(self, message: Proof) -> None:
        try:
            self._say(Verified(self._verifier.verify(message.text)))
        except AuthenticationError as error:
            self._punish(error)
            return
        self._deadline = self._now() + PATIENCE
        self.is_trusted = True
        self._shipper.enter(self)

    def _punish(self, error: AuthenticationError) -> None:
        """A guess costs time."""
        log.warning("%s was refused: %s", self._peer, error)
        self._penalty = self._now() + PENALTY

    # --- what does it need -------------------------------------------------------------------------------------------------

    def _hello(self, hello: Hello) -> None:
        archive, journal = self._shipper.system.archive, self._shipper.system.engine.journal
        found = answer(hello, _History(archive.identity, journal.epoch, self._shipper.source, self._tail))
        self.replica = hello.replica
        if found.code == FENCED:
            self._shipper.fence(found.text, max(hello.known, hello.epoch))
        if found.code:
            self._refuse(found.code, found.text)
        elif found.snapshot:
            self._begin_snapshot()
        else:
            self.acked = hello.lsn
            self._welcome(Welcome(archive.identity, journal.epoch, hello.lsn, found.tag, 0, archive.manifest.skips))

    def _welcome(self, welcome: Welcome) -> None:
        self._say(welcome)
        now = self._now()
        self._next_beat, self._deadline = now, now + PATIENCE
        log.info("%s follows from LSN %d on.", self._peer, welcome.lsn)

    def _begin_snapshot(self) -> None:
        """The newest snapshot file as it is; it stays readable here if it is pruned meanwhile."""
        archive = self._shipper.system.archive
        try:
            self._file, about = self._open_snapshot(archive.manifest.snapshots[-1])
        except FileNotFoundError:
            self._refuse(CLOSING, "the snapshot was pruned meanwhile, come again")
            return
        if not self._tail.find(about.lsn, about.tag):
            self._refuse(CLOSING, "the journal was pruned meanwhile, come again")
            return
        self._size = self._file.size()
        self._welcome(Welcome(archive.identity, archive.manifest.epoch, about.lsn, about.tag, self._size, archive.manifest.skips))

    def _open_snapshot(self, lsn: int) -> tuple[File, SnapshotHeader]:
        archive = self._shipper.system.archive
        path = archive.path(snapshot_name(lsn))
        file = archive.disk.open_read(path)
        about, stream = open_snapshot(archive.disk, path, archive.key, archive.identity)
        stream.close()
        return file, about

    def _is_time_to_look(self) -> bool:
        """A replica syncs and executes each piece, on a machine that may be ours: so what comes within a moment is one piece, unless callers wait."""
        return self._shipper.min_acks > 0 or self._now() >= self._next_look

    def _ship(self) -> None:
        """One piece of what the replica lacks, if anything is there."""
        more = self._file is not None
        if self._file is not None:
            data = self._file.read(self._offset, min(MANY, self._size - self._offset))
            self._say(Chunk(data))
            self._offset += len(data)
            if self._offset >= self._size:
                self._close_snapshot()
        else:
            data = self._tail.read(MANY)
            more = self._tail.is_behind
            if data:
                self._say(Frames(data))
                self._next_beat = min(self._next_beat, self._now() + FRESH)
        self.shipped += len(data)
        self._next_look = -math.inf if more else self._now() + self._shipper.look

    def _close_snapshot(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    # --- what does it have -------------------------------------------------------------------------------------------------

    def _ack(self, message: Ack) -> None:
        lsn = message.lsn
        if not self.acked <= lsn <= max(self._tail.lsn, self.acked):
            what = f"it acknowledges LSN {lsn}, after {self.acked}, of {self._tail.lsn} that it was sent"
            raise PeerError(f"The replica broke the protocol: {what}. The connection was closed, nothing was changed.")
        if lsn == self.acked:
            self._next_look = -math.inf
        else:
            self.acked = lsn
            self._shipper.acknowledged()

    _HEAR: ClassVar[dict[type[Message], Callable[[Shipping, Any], None]]] = {First: _first, Proof: _proof, Hello: _hello, Ack: _ack}
