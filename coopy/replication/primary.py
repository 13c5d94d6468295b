"""The primary's side: a thread that listens, and one for each replica, which reads the journal's files at its own pace.

    accept     at most 16 wait to prove the password, 4 from one address, 5 seconds long, with 1 KiB each; one more and the longest waiting goes
    session    TLS and password -> what the replica has against what is here -> a snapshot file -> frames, for as long as it lives

Nothing is shipped that is not on stable storage here. No thread of this file ever holds the state's lock or a buffer that grows: what a slow
replica has not read is on disk. A replica that acknowledges nothing for 5 seconds is dropped, and comes again.

Who owns what: `_sessions` and `_waiting` are changed under `_guard`; everything of a session but `acked` and `shipped` is its thread's.
"""

from __future__ import annotations

import logging
import threading
import time
from _thread import allocate_lock
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from coopy.disk import after_fork_in_child
from coopy.engine.background import Timer
from coopy.engine.beside import WAKE
from coopy.error import AuthenticationError, CoopyError, ReplicaError, UnconfirmedError
from coopy.journal.tail import Source, Tail
from coopy.replication.auth import Verifiers
from coopy.replication.handshake import AUTHENTICATION, CLOSING, FENCED, answer
from coopy.replication.transport import BEAT, PATIENCE, Listener, LostError, check_place
from coopy.replication.wire import (
    MANY,
    Ack,
    Beat,
    Challenge,
    Chunk,
    Connection,
    First,
    Frames,
    Hello,
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
    from types import TracebackType

    from coopy.disk import File
    from coopy.engine.system import System
    from coopy.header import Identity
    from coopy.replication.transport import Address, Link
    from coopy.replication.wire import Message

__all__ = ["Primary"]

log = logging.getLogger("coopy.replication")
MOST_WAITING, MOST_OF_ONE = 16, 4
PENALTY = 0.5  # seconds that a wrong password costs whoever sends it
LATEST, IDLE = 0.01, 0.02  # seconds between two looks at the journal: while records come, and while none do
SYNC = 0.02  # seconds between two syncs of a buffered primary with replicas
CONFIRM = 5.0  # seconds that a call waits for `min_acks` replicas


class Primary:
    """Listens, and ships the journal of a system. `address` says where, with the port that was chosen for port 0."""

    def __init__(self, system: System, address: Address, min_acks: int = 0, now: Callable[[], float] = time.monotonic) -> None:
        check_place(address.host, address.password, address.tls, serving=True)
        self.system, self.tls, self.min_acks, self.now = system, address.tls, min_acks, now
        self.verifiers = Verifiers(address.password)
        archive, journal = system.archive, system.engine.journal
        self.source = Source(archive.disk, archive.directory, archive.key, lambda: archive.manifest.segments, lambda: journal.durable)
        self.confirm_within = CONFIRM
        self.stopping = False
        self.refused = self.shipped_before = 0
        self._guard = allocate_lock()
        self._waiting: list[Session] = []  # not authenticated yet
        self._sessions: list[Session] = []
        self._calls: list[_Waiter] = []
        self._listener = Listener(address.host, address.port, now)
        self.address = self._listener.host, self._listener.port
        after_fork_in_child(self._forked)
        self._timer = Timer("replication sync", SYNC, self._sync) if system.settings.durability == "buffered" else None
        self._thread = threading.Thread(target=self._accept, name="coopy primary", daemon=True)
        self._thread.start()
        log.info("%s is a primary at %s:%d.", archive.directory, *self.address)

    # --- as Peers says ---------------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Listen no more, and end every session. Promptly: a replica has what it has, and comes again."""
        self.stopping = True
        self._listener.wake()
        with self._guard:
            sessions = [*self._waiting, *self._sessions]
        for session in sessions:
            session.link.give_up()
        for thread in (self._thread, *(session.thread for session in sessions)):
            if thread is not threading.current_thread():
                thread.join(PATIENCE)
        if self._timer is not None:
            self._timer.stop()
        self._listener.close()

    def stats(self) -> dict[str, int]:
        """`replicas`: connected now; `acked`: what the slowest of them has; `shipped_bytes`, `refused`: since the start."""
        with self._guard:
            sessions = [*self._sessions]
        return {
            "replicas": len(sessions),
            "acked": min((session.acked for session in sessions), default=0),
            "shipped_bytes": self.shipped_before + sum(session.shipped for session in sessions),
            "refused": self.refused,
        }

    def _forked(self) -> None:
        """In a forked child: the connections are the parent's."""
        self._guard = allocate_lock()
        self.stopping = True
        self._listener.close()
        for session in (*self._waiting, *self._sessions):
            session.link.close()

    def _sync(self) -> None:
        with self._guard:
            followed = bool(self._sessions)
        engine, journal = self.system.engine, self.system.engine.journal
        if followed and journal.durable < journal.lsn and engine.final is None:
            self.system.wait_durable()

    # --- who may enter ---------------------------------------------------------------------------------------------------

    def _accept(self) -> None:
        while not self.stopping:
            link = self._listener.accept()
            if link is not None:
                self._admit(link)

    def _admit(self, link: Link) -> None:
        """Whoever knows the password proves it in a moment. So where too many wait, it is the one who waits longest that goes."""
        session = Session(self, link)
        with self._guard:
            same = [one for one in self._waiting if one.link.host == link.host]
            for crowd, most in ((same, MOST_OF_ONE), (self._waiting, MOST_WAITING)):
                if len(crowd) >= most:
                    crowd[0].link.give_up()
                    self._waiting.remove(crowd[0])
                    break
            self._waiting.append(session)
        try:
            session.thread.start()
        except RuntimeError as error:  # no thread is to be had
            log.warning("%s was not admitted: %s", link.peer, error)
            self.left(session)

    def trusted(self, session: Session) -> None:
        """It has proven the password: its place at the door is free."""
        with self._guard:
            if session in self._waiting:
                self._waiting.remove(session)
                self._sessions.append(session)

    def left(self, session: Session) -> None:
        """It is over."""
        session.link.close()
        with self._guard:
            for some in (self._waiting, self._sessions):
                if session in some:
                    some.remove(session)
            self.shipped_before += session.shipped

    def fence(self, why: str, epoch: int) -> None:
        """A replica knows a newer primary, of this epoch: this one takes no more actions, or there would be two histories."""
        what = f"This was the primary, and a newer one has taken over ({why}). Nothing was recorded"
        self.system.fence(
            ReplicaError(
                f"{what}. Call the newer one; open this directory with replication=True to follow it.", primary="the newer primary"
            ),
            epoch,
        )

    # --- who waits for acknowledgements ------------------------------------------------------------------------------------

    def confirmed(self) -> int:
        """The LSN that `min_acks` replicas have."""
        with self._guard:
            acked = sorted((session.acked for session in self._sessions), reverse=True)
        return acked[self.min_acks - 1] if len(acked) >= self.min_acks else 0

    def confirm(self, lsn: int, within: float | None = None) -> None:
        """Return when `min_acks` replicas have this action. Raises UnconfirmedError after `within` seconds, by default `confirm_within`."""
        with _Waiter(self._calls, lsn) as waiter:
            self.wake()
            deadline = self.now() + (self.confirm_within if within is None else within)
            while self.confirmed() < lsn:
                if self.now() >= deadline or self.stopping:
                    raise self._unconfirmed(lsn)
                waiter.wait()

    def _unconfirmed(self, lsn: int) -> UnconfirmedError:
        has = self.stats()["replicas"]
        when = "before it was closed" if self.stopping else f"in {self.confirm_within:g} seconds"
        what = f"LSN {lsn} is durable and executed here, but min_acks={self.min_acks} replicas did not confirm it {when}"
        return UnconfirmedError(
            f"{what} ({has} connected). This is not an undo: do not call it again. Replicas get it when they come.", lsn=lsn
        )

    def wake(self) -> None:
        """Something is there to be shipped."""
        with self._guard:
            sessions = [*self._sessions]
        for session in sessions:
            session.link.wake()

    def acknowledged(self) -> None:
        """A replica has more than before."""
        if self._calls:
            confirmed = self.confirmed()
            for waiter in [*self._calls]:
                waiter.hear(confirmed)


class _Waiter:
    """A call that waits for acknowledgements. On a bare lock, as background.Timer says."""

    def __init__(self, among: list[_Waiter], lsn: int) -> None:
        self._among, self._lsn, self._lock = among, lsn, allocate_lock()
        self._lock.acquire()

    def __enter__(self) -> Self:
        self._among.append(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._among.remove(self)

    def wait(self) -> None:
        self._lock.acquire(timeout=WAKE)

    def hear(self, confirmed: int) -> None:
        if confirmed >= self._lsn and self._lock.locked():
            self._lock.release()


# --- one replica -------------------------------------------------------------------------------------------------------


class _History:
    """What handshake.History asks, of a journal that grows meanwhile."""

    def __init__(self, identity: Identity, epoch: int, source: Source, tail: Tail) -> None:
        self.identity, self.epoch, self._source, self.holds = identity, epoch, source, tail.find

    def last(self) -> int:
        return self._source.durable()

    def first(self) -> int:
        return self._source.segments()[0].first_lsn


class Session:
    """One replica, on a thread of its own. `acked`: what it has on stable storage; `shipped`: bytes of frames and snapshots."""

    def __init__(self, primary: Primary, link: Link) -> None:
        self.primary, self.link, self.now = primary, link, primary.now
        self.acked = self.shipped = 0
        self.thread = threading.Thread(target=self._run, name=f"coopy replica {link.peer}", daemon=True)
        self._connection = Connection(Side.PRIMARY)
        self._heard: list[Message] = []
        self._next_beat = 0.0
        self._tail = Tail(primary.source, primary.system.archive.identity)

    def _run(self) -> None:
        try:
            self._authenticate(self.now() + PATIENCE)
            self._serve(self._hello())
        except AuthenticationError as error:
            log.warning("%s was refused: %s", self.link.peer, error)
        except PeerError as error:
            log.warning("%s: %s", self.link.peer, error)
        except (CoopyError, OSError) as error:
            if not self.primary.stopping:
                log.info("%s has gone: %s", self.link.peer, error)
        finally:
            self._tail.close()
            self.primary.left(self)

    # --- say and hear ------------------------------------------------------------------------------------------------------

    def _say(self, message: Message) -> None:
        self.link.offer(self._connection.send(message))

    def _hear(self, deadline: float) -> Message:
        while not self._heard:
            left = deadline - self.now()
            if left <= 0:
                raise LostError(f"{self.link.peer} took too long.")
            self._heard += self._connection.receive(self.link.step(left))
        return self._heard.pop(0)

    def _refuse(self, code: str, text: str) -> LostError:
        """Say so, and be gone."""
        self.primary.refused += 1
        self._say(Refused(code, text[:400]))
        with suppress(LostError):  # it may have gone before
            self.link.flush(self.now() + 1)
        return LostError(f"it was refused: {text}.")

    # --- who is it ---------------------------------------------------------------------------------------------------------

    def _authenticate(self, deadline: float) -> None:
        if self.primary.tls is not None:
            self.link.secure(self.primary.tls, "", deadline)
        verifier = self.primary.verifiers.begin(self.link.binding)
        try:
            first = self._hear(deadline)
            assert isinstance(first, First)
            self._say(Challenge(verifier.challenge(first.text)))
            proof = self._hear(deadline)
            assert isinstance(proof, Proof)
            self._say(Verified(verifier.verify(proof.text)))
        except AuthenticationError:
            self._linger(PENALTY)
            self._refuse(AUTHENTICATION, "the password was not proven")
            raise
        self.primary.trusted(self)

    def _linger(self, seconds: float) -> None:
        """A guess costs time. Nothing that comes meanwhile is looked at."""
        end = self.now() + seconds
        while self.now() < end:
            self.link.step(end - self.now())

    def _hello(self) -> Hello:
        hello = self._hear(self.now() + PATIENCE)
        assert isinstance(hello, Hello)
        return hello

    # --- what does it need -------------------------------------------------------------------------------------------------

    def _serve(self, hello: Hello) -> None:
        archive, journal = self.primary.system.archive, self.primary.system.engine.journal
        found = answer(hello, _History(archive.identity, journal.epoch, self.primary.source, self._tail))
        if found.code == FENCED:
            self.primary.fence(found.text, hello.epoch)
        if found.code:
            raise self._refuse(found.code, found.text)
        if found.snapshot:
            self._ship_snapshot()
        else:
            self.acked = hello.lsn
            self._say(Welcome(archive.identity, journal.epoch, hello.lsn, found.tag, 0, archive.manifest.skips))
        log.info("%s follows from LSN %d on.", self.link.peer, self._tail.lsn)
        self._ship_frames()

    def _ship_snapshot(self) -> None:
        """The newest snapshot file as it is; it stays readable here if it is pruned meanwhile."""
        archive = self.primary.system.archive
        try:
            file, about = self._open_snapshot(archive.manifest.snapshots[-1])
        except FileNotFoundError:
            raise self._refuse(CLOSING, "the snapshot was pruned meanwhile, come again") from None
        try:
            size, offset = file.size(), 0
            if not self._tail.find(about.lsn, about.tag):
                raise self._refuse(CLOSING, "the journal was pruned meanwhile, come again")
            self._say(Welcome(archive.identity, archive.manifest.epoch, about.lsn, about.tag, size, archive.manifest.skips))
            while offset < size:
                if self.link.waiting < MANY:
                    data = file.read(offset, min(MANY, size - offset))
                    self._say(Chunk(data))
                    offset, self.shipped = offset + len(data), self.shipped + len(data)
                self._pass_time(BEAT if self.link.waiting >= MANY else 0)
        finally:
            file.close()

    def _open_snapshot(self, lsn: int) -> tuple[File, SnapshotHeader]:
        archive = self.primary.system.archive
        path = archive.path(snapshot_name(lsn))
        file = archive.disk.open_read(path)
        about, stream = open_snapshot(archive.disk, path, archive.key, archive.identity)
        stream.close()
        return file, about

    def _ship_frames(self) -> None:
        look = IDLE
        while True:
            data = self._tail.read(MANY) if self.link.waiting < MANY else b""
            if data:
                self._say(Frames(data))
                self.shipped, look = self.shipped + len(data), LATEST
            else:
                look = min(look * 1.2, IDLE)
            self._pass_time(0 if data else BEAT if self.link.waiting >= MANY else look)

    def _pass_time(self, timeout: float) -> None:
        """Send, beat, hear acknowledgements, notice the end."""
        if self.now() >= self._next_beat and self.link.waiting < MANY:  # it may live and be too busy to read
            self._next_beat = self.now() + BEAT
            self._say(Beat(self.primary.system.engine.journal.epoch, self.primary.source.durable()))
        self._heard += self._connection.receive(self.link.step(timeout))
        while self._heard:
            message = self._heard.pop(0)
            assert isinstance(message, Ack)
            self._acknowledged(message.lsn)
        if self.link.silence > PATIENCE:
            raise LostError(f"it has said nothing for {PATIENCE:g} seconds.")

    def _acknowledged(self, lsn: int) -> None:
        if not self.acked <= lsn <= max(self._tail.lsn, self.acked):
            what = f"it acknowledges LSN {lsn}, after {self.acked}, of {self._tail.lsn} that it was sent"
            raise PeerError(f"The replica broke the protocol: {what}. The connection was closed, nothing was changed.")
        if lsn > self.acked:
            self.acked = lsn
            self.primary.acknowledged()
