"""The replica's side: one thread that connects, proves the password, says what is here, and takes what comes.

    fetch      an empty directory gets the primary's newest snapshot
    follow     the first session begins in the foreground, so that a wrong password or another history is the caller's to hear
    pulse      while what came is executed, however long that takes, a timer says that this lives
    stream     frames -> engine.take (stable storage, then executed) -> acknowledged
    again      a lost connection is made again, after 0.1 to 10 seconds, with jitter

A replica goes on answering queries whatever happens to the connection; `staleness` says how old the answers may be. What is here is never
thrown away: where it is replaced by a snapshot it goes to quarantine/.
"""

from __future__ import annotations

import logging
import math
import random
import threading
import time
from _thread import allocate_lock
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Self, TypeVar

from coopy.disk import after_fork_in_child
from coopy.engine.background import Timer
from coopy.engine.beside import WAKE
from coopy.engine.following import FollowingEngine, install_snapshot, read_through
from coopy.error import (
    AuthenticationError,
    ClosedError,
    CoopyError,
    CorruptionError,
    DivergenceError,
    DurabilityError,
    ReplicaError,
    UnconfirmedError,
    UpgradeError,
)
from coopy.replication.auth import Prover
from coopy.replication.handshake import AUTHENTICATION, CLOSING, GENERATION, next_generation
from coopy.replication.token import check_token
from coopy.replication.transport import BEAT, PATIENCE, LostError, check_place, connect
from coopy.replication.wire import (
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
from coopy.snapshot import snapshot_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from coopy.engine.archive import Archive
    from coopy.engine.opening import Place
    from coopy.engine.system import System
    from coopy.replication.transport import Address, Link
    from coopy.replication.wire import Message
    from coopy.snapshot import SnapshotHeader

    _M = TypeVar("_M", bound=Message)

__all__ = ["Replica"]

log = logging.getLogger("coopy.replication")
AT_ONCE = 1 << 20  # bytes of frames that share a sync
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 10.0  # seconds


class _RefusedError(ReplicaError):
    """The primary will not have this replica, and why. It passes only if somebody does something."""


class Replica:
    """Follows a primary. `problem`: why it does not follow at the moment, empty while it does."""

    def __init__(self, address: Address, domain: str, now: Callable[[], float] = time.monotonic, dice: random.Random | None = None) -> None:
        self.address, self._domain, self._now = address, domain, now
        self._dice = dice or random.Random()  # noqa: S311 - when to try again is no secret
        self.problem = "it has not connected yet"
        self.primary_lsn = self.sessions = self.received = 0
        self._level_at = -math.inf
        self._due: list[tuple[float, int]] = []  # beats that are ahead of what is executed
        self._stopping = False
        self._wake = allocate_lock()
        self._wake.acquire()
        self._session: _Session | None = None
        self._pulse: Timer | None = None
        self._system: System | None = None
        self._thread: threading.Thread | None = None

    # --- an empty directory ------------------------------------------------------------------------------------------------

    def fetch(self, place: Place) -> None:
        """Fill an empty directory with the primary's newest snapshot. Raises ReplicaError where there is no primary, AuthenticationError."""
        try:
            with _Session(self.address, self._now) as session:
                welcome = session.greet(Hello(b"", self._domain, 0, 0, b""))
                about, temporary = _receive_snapshot(session, welcome, place)
        except (LostError, PeerError) as error:
            what = f"There is no state yet in {place.directory}, and none could be had from the primary at {self.address}: {error}"
            raise ReplicaError(
                f"{what} No system was created. Start the primary, or check host=, port= and tls=.", primary=str(self.address)
            ) from error
        install_snapshot(place, welcome.epoch, about, temporary)

    # --- follow --------------------------------------------------------------------------------------------------------------

    def follow(self, system: System) -> None:
        """Begin. Raises AuthenticationError and ReplicaError where the primary refuses; where there is none now, it is tried again and again."""
        self._system = system
        session: _Session | None = _Session(self.address, self._now)
        welcome: Welcome | None = None
        assert session is not None
        try:
            session.open()
            welcome = self._begin(session, session.greet(self._hello()))
        except (LostError, PeerError) as error:
            session.close()
            self._trouble(error)
            session = None
        except BaseException:
            session.close()
            raise
        after_fork_in_child(self._forked)
        self._pulse = Timer("replication pulse", BEAT, self._say_alive)
        self._thread = threading.Thread(target=self._run, args=(session, welcome), name="coopy replica", daemon=True)
        self._thread.start()

    def _say_alive(self) -> None:
        session = self._session
        if session is not None:
            session.pulse()

    @property
    def engine(self) -> FollowingEngine:
        """The system's."""
        assert self._system is not None
        engine = self._system.engine
        assert isinstance(engine, FollowingEngine)
        return engine

    def _hello(self) -> Hello:
        engine = self.engine
        with engine.lead:
            head, identity = engine.journal.head(), engine.archive.identity
            boundary = engine.boundary
        return Hello(identity.system, identity.domain, head.epoch, head.lsn, head.tag, boundary)

    def _run(self, session: _Session | None, welcome: Welcome | None) -> None:
        pause = FIRST_PAUSE
        while not self._stopping:
            began, executed = self._now(), self.engine.executed
            try:
                session = self._session = session or _Session(self.address, self._now)
                hello = self._hello() if welcome is None else None  # before: a snapshot that is taken here may hold it up
                with session:
                    if hello is not None:
                        self._begin(session, session.greet(hello))
                    self._stream(session)
            except (DivergenceError, UpgradeError, DurabilityError, ClosedError, CorruptionError, MemoryError) as error:
                self._trouble(error)
                return  # the system says the same to whoever asks it
            except (CoopyError, OSError) as error:
                if isinstance(error, _RefusedError):
                    pause = LONGEST_PAUSE
                elif not self.problem and (self.engine.executed > executed or self._now() - began > PATIENCE):
                    pause = FIRST_PAUSE  # it went well; what fails at once each time, as a full disk does, is tried less and less often
                self._trouble(error)
            session = welcome = self._session = None
            if self._wake.acquire(timeout=pause * self._dice.uniform(0.5, 1)):
                return
            pause = min(pause * 2, LONGEST_PAUSE)

    def _trouble(self, error: BaseException) -> None:
        text = str(error) or type(error).__name__
        if text != self.problem and not self._stopping:
            log.warning("The replica of %s does not follow: %s", self.address, text)
        self.problem = text

    # --- what comes ------------------------------------------------------------------------------------------------------------

    def _begin(self, session: _Session, welcome: Welcome) -> Welcome:
        """Check who it is, and take the snapshot that comes first, if one does."""
        self._check(welcome)
        self.engine.accepted()
        if welcome.snapshot:
            self._start_over(session, welcome)
        elif welcome.tag not in {self.engine.journal.tag, self.engine.boundary}:
            raise PeerError(f"The primary at {self.address} goes on from a record that is not here. Nothing was changed.")
        elif welcome.tag != self.engine.journal.tag:
            self.engine.exclusively(self.engine.cut_back)
        return welcome

    def _stream(self, session: _Session) -> None:
        engine = self.engine
        self.primary_lsn, self._due = engine.executed, []
        self.problem, self.sessions = "", self.sessions + 1
        log.info("%s follows %s from LSN %d on.", engine.archive.directory, self.address, engine.executed)
        data, acked = bytearray(), -1
        while not self._stopping:
            self._hear(session, data, session.receive(BEAT / 2))
            while data and len(data) < AT_ONCE and (more := session.receive(0)):
                self._hear(session, data, more)
            with session.lent(lambda: engine.journal.durable):
                executed = engine.take(data)
            self._reached(executed)
            if executed > acked or session.is_due():
                acked = executed
                session.say(Ack(executed))

    def _hear(self, session: _Session, data: bytearray, messages: list[Message]) -> None:
        for message in messages:
            if isinstance(message, Frames):
                data += message.data
                self.received += len(message.data)
            elif isinstance(message, Beat):
                self.primary_lsn = max(self.primary_lsn, message.lsn)
                self._due = [*self._due[-10:], (self._now(), message.lsn)]
            else:
                session.expect(message, Frames)

    def _reached(self, executed: int) -> None:
        """What it takes to answer how far behind this is."""
        self.primary_lsn = max(self.primary_lsn, executed)
        while self._due and self._due[0][1] <= executed:
            self._level_at = self._due.pop(0)[0]

    def _check(self, welcome: Welcome) -> None:
        archive, executed, theirs = self.engine.archive, self.engine.executed, welcome.identity
        if (theirs.system, theirs.secret) != (archive.identity.system, archive.identity.secret):
            raise _RefusedError(f"The primary at {self.address} is of another system. Nothing was changed here.", primary=str(self.address))
        if not self.engine.codec.names.lead(theirs.domain, archive.domain):
            what = f"The primary at {self.address} has a {theirs.domain} by now, and this replica's program knows it as {archive.domain}"
            raise _RefusedError(
                f"{what}. Start the replica with the primary's program. Nothing was changed here.", primary=str(self.address)
            )
        if theirs != archive.identity:
            self.engine.exclusively(lambda: archive.change(identity=theirs))
        known = max(self.engine.journal.epoch, archive.manifest.epoch)
        if welcome.epoch // GENERATION < known // GENERATION:
            what = f"The primary at {self.address} is of epoch {welcome.epoch}, and this replica knows a newer one ({known})"
            raise _RefusedError(f"{what}. Follow that one. Nothing was changed here.", primary=str(self.address))
        new = set(welcome.skips) - set(archive.manifest.skips)
        if any(lsn <= executed for lsn in new) and not welcome.snapshot:
            what = f"The primary leaves out LSN {min(new)} since it was repaired, and it was executed here"
            raise _RefusedError(f"{what}. Repair this directory in the same way, or make the replica anew.", primary=str(self.address))
        if new:
            self.engine.exclusively(lambda: archive.change(skips=tuple(sorted({*archive.manifest.skips, *new}))))

    def _start_over(self, session: _Session, welcome: Welcome) -> None:
        """What is here is too old to go on from, or of a history that a promotion cut off. A snapshot takes its place."""
        engine, archive = self.engine, self.engine.archive
        what = "the primary has pruned what followed it, or was promoted without it"
        log.warning("%s: LSN %d is no place to go on from: %s.", archive.directory, engine.executed, what)
        about, temporary = _receive_snapshot(session, welcome, archive)
        with session.lent(lambda: 0):
            engine.exclusively(lambda: engine.start_over(welcome.epoch, about, temporary))
        log.warning("%s: it goes on from the snapshot at LSN %d, what was there is in quarantine/.", archive.directory, welcome.lsn)

    # --- what can be asked -------------------------------------------------------------------------------------------------------

    @property
    def lag(self) -> int:
        """How many actions the primary is known to have that were not executed here."""
        return max(self.primary_lsn - self.engine.executed, 0)

    @property
    def staleness(self) -> float:
        """How old, in seconds, what is here may be at most; infinite as long as it was never level with the primary."""
        return self._now() - self._level_at

    def wait_for(self, token: str, timeout: float) -> int:
        """Return when the state here shows what the token's owner saw; gives the LSN. Raises ReplicaError, and UnconfirmedError in the end."""
        engine = self.engine
        deadline = self._now() + timeout
        while True:
            executed = engine.executed  # before the eras, and without the lock, which a long action keeps
            lsn = check_token(token, engine.archive.identity.system, engine.eras, str(self.address))
            if executed >= lsn:
                return executed
            if engine.final is not None:
                raise engine.refusal()
            if self._now() >= deadline:
                break
            time.sleep(min(0.002, max(deadline - self._now(), 0)))
        what = f"The replica shows LSN {executed}, and not yet LSN {lsn} after {timeout:g} seconds"
        raise UnconfirmedError(f"{what}: {self.problem or 'it is behind'}. Wait longer, or ask the primary at {self.address}.", lsn=lsn)

    def stats(self) -> dict[str, int]:
        """`lag` in actions, `staleness_ms` (-1: never level), `connected`, `sessions` and `received_bytes` since the start."""
        staleness = self.staleness
        return {
            "lag": self.lag,
            "staleness_ms": -1 if math.isinf(staleness) else int(staleness * 1000),
            "connected": int(not self.problem),
            "sessions": self.sessions,
            "received_bytes": self.received,
        }

    # --- the end -------------------------------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Follow no more. Promptly: what came is kept whole or not at all. May be repeated."""
        if not self._stopping:
            self._stopping = True
            self._wake.release()
        thread = self._thread
        while thread is not None and thread is not threading.current_thread() and thread.is_alive():
            session = self._session  # another, where it had just begun anew
            if session is not None:
                session.give_up()
            thread.join(WAKE)
        if self._pulse is not None:
            self._pulse.stop()
            self._pulse.wait()
        self.problem = self.problem or "it was stopped"

    def promote(self) -> int:
        """End following, and take actions from now on. The new epoch is on stable storage when this returns; gives it."""
        engine = self.engine
        engine.refuse_inside("promote()")
        engine.check_following()
        self.stop()
        epoch = next_generation(max(engine.journal.epoch, engine.archive.manifest.epoch))
        engine.exclusively(lambda: engine.lead_on(epoch))
        log.warning("%s was promoted: epoch %d, from LSN %d on.", engine.archive.directory, epoch, engine.executed)
        return epoch

    def _forked(self) -> None:
        """In a forked child: the connection is the parent's."""
        self._stopping = True
        self._thread = None
        if self._session is not None:
            self._session.close()


# --- one session -------------------------------------------------------------------------------------------------------------------


class _Session:
    """A connection to the primary, from the password on. `with` opens it, unless it is open, and closes it.

    Used by one thread, which lends it while it executes: then a timer says that it lives.
    """

    def __init__(self, address: Address, now: Callable[[], float]) -> None:
        self.address, self._now = address, now
        self.link: Link | None = None
        self._connection = Connection(Side.REPLICA)
        self._heard: list[Message] = []
        self._next_beat = 0.0
        self._guard, self._given_up = allocate_lock(), False
        self._durable: Callable[[], int] | None = None

    def __enter__(self) -> Self:
        if self.link is None:
            try:
                self.open()
            except BaseException:
                self.close()
                raise
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def open(self) -> None:
        """Connect, and prove the password in both directions. Raises LostError, PeerError, AuthenticationError, UsageError."""
        address = self.address
        check_place(address.host, address.password, address.tls, serving=False)
        self.link = connect(address.host, address.port, address.tls, address.password, self._now)
        if self._given_up:
            self.link.give_up()
        deadline = self._now() + PATIENCE
        prover = Prover(address.password, self.link.binding)
        self.say(First(prover.first))
        self.say(Proof(prover.prove(self.expect(self._next(deadline), Challenge).text)))
        prover.check(self.expect(self._next(deadline), Verified).text)

    def greet(self, hello: Hello) -> Welcome:
        """Say what is here; gives how it goes on."""
        self.say(hello)
        return self.expect(self._next(self._now() + 4 * PATIENCE), Welcome)

    def say(self, message: Message) -> None:
        """Offered; the next `receive` sends it."""
        assert self.link is not None
        self.link.offer(self._connection.send(message))
        self._next_beat = self._now() + BEAT

    @contextmanager
    def lent(self, durable: Callable[[], int]) -> Iterator[None]:
        """While this thread executes what came, however long that takes, `pulse` may say that this replica lives, and up to where it has it."""
        self._durable = durable
        try:
            yield
        finally:
            self._durable = None
            with self._guard:  # until the pulse that had it has ended
                pass

    def pulse(self) -> None:
        """Say that this replica lives, if its thread does not get round to it. From a timer's thread."""
        with self._guard, suppress(LostError):  # its own thread will meet it
            durable = self._durable
            if durable is not None and self.link is not None and self.is_due():
                self.say(Ack(durable()))
                self.link.push()

    def is_due(self) -> bool:
        """Whether the primary has not heard of us for a while."""
        return self._now() >= self._next_beat

    def receive(self, timeout: float) -> list[Message]:
        """What came. Raises LostError, also where the primary says nothing for too long."""
        assert self.link is not None
        heard, self._heard = self._heard, []
        heard += self._connection.receive(self.link.step(0 if heard else timeout))
        if self.link.silence > PATIENCE:
            raise LostError(f"The primary at {self.address} has said nothing for {PATIENCE:g} seconds.")
        return heard

    def next(self) -> Message | None:
        """The next message, if one comes soon. The primary hears that we live."""
        if not self._heard:
            self._heard = self.receive(BEAT)
            if self.is_due():
                self.say(Ack(0))
        return self._heard.pop(0) if self._heard else None

    def _next(self, deadline: float) -> Message:
        while not self._heard:
            if self._now() >= deadline:
                raise LostError(f"The primary at {self.address} took too long to answer.")
            self._heard = self.receive(deadline - self._now())
        return self._heard.pop(0)

    def expect(self, message: Message, kind: type[_M]) -> _M:
        """The message, if it is of this kind. Raises what a refusal means."""
        if isinstance(message, kind):
            return message
        assert isinstance(message, Refused)
        text = "".join(one for one in message.text if one.isprintable())
        if message.code == AUTHENTICATION:
            what = f"The primary at {self.address} does not accept the password"
            raise AuthenticationError(f"{what}: pass the password= that it was started with. Nothing was changed here.")
        if message.code == CLOSING:
            raise LostError(f"The primary at {self.address} said: {text}.")
        what = f"The primary at {self.address} refused this replica: {text}"
        raise _RefusedError(f"{what}. Nothing was changed here.", primary=str(self.address), code=message.code)

    def give_up(self) -> None:
        """Have whatever its thread does with it end now, by LostError, or as soon as it is connected. Any thread may call it."""
        self._given_up = True
        if self.link is not None:
            self.link.give_up()

    def close(self) -> None:
        """Give it back. May be repeated."""
        if self.link is not None:
            self.link.close()


def _receive_snapshot(session: _Session, welcome: Welcome, place: Place | Archive) -> tuple[SnapshotHeader, str]:
    """The file comes under a temporary name, is on stable storage when this returns, and was read through. Gives what it is, and its path."""
    disk, path, offset = place.disk, place.path(snapshot_name(welcome.lsn)) + ".tmp", 0
    if not welcome.snapshot:
        raise PeerError("The primary sends no snapshot, though there is nothing here.")
    if disk.exists(path):
        disk.unlink(path)
    file = disk.create(path)
    try:
        while offset < welcome.snapshot:
            message = session.next()
            if message is not None and not isinstance(message, Beat):
                data = session.expect(message, Chunk).data
                file.write(offset, data)
                offset += len(data)
        file.sync()
        return read_through(disk, path, place.key, welcome.identity), path
    except CorruptionError as error:
        disk.unlink(path)
        what = f"The snapshot that the primary sent is damaged ({error}). Nothing was changed here"
        raise PeerError(f"{what}. Check the primary's directory, and take a snapshot there.") from error
    except BaseException:
        with suppress(OSError):  # what failed first is what the caller must hear
            disk.unlink(path)
        raise
    finally:
        file.close()
