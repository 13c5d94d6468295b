"""The replica's thread, between its connection, taking.py, which says what is to be said, and follower.py, which takes what comes.

    fetch      an empty directory gets the primary's newest snapshot
    follow     the first session begins in the foreground, so that a wrong password or another history is the caller's to hear
    pulse      while what came is executed, however long that takes, a timer says that this lives
    stream     what has come is taken at once, as much as there is, and then acknowledged
    again      a lost connection is made again, after 0.1 to 10 seconds, with jitter

A replica goes on answering queries whatever happens to the connection; `staleness` says how old the answers may be.
"""

from __future__ import annotations

import random
import threading
import time
from _thread import allocate_lock
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Self

from coopy.disk import after_fork_in_child
from coopy.engine.background import Timer
from coopy.engine.beside import WAKE
from coopy.engine.following import FollowingEngine
from coopy.engine.stats import ReplicaStats
from coopy.error import (
    ClosedError,
    CoopyError,
    CorruptionError,
    DivergenceError,
    DurabilityError,
    ReplicaError,
    UnconfirmedError,
    UpgradeError,
)
from coopy.logs import logger
from coopy.measured import Trouble
from coopy.replication.auth import Prover
from coopy.replication.follower import Follower, Newcomer
from coopy.replication.taking import RefusedError, Taking
from coopy.replication.token import check_token
from coopy.replication.transport import connect
from coopy.replication.wire import BEAT, PATIENCE, LostError, PeerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from coopy.engine.opening import Place
    from coopy.engine.system import System
    from coopy.replication.place import Address
    from coopy.replication.taking import Home
    from coopy.replication.transport import Link

__all__ = ["Replica"]

log = logger("replication")
AT_ONCE = 1 << 20  # bytes of frames that share a sync
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 10.0  # seconds


class Replica:
    """Follows a primary. `problem`: why it does not follow at the moment, empty while it does."""

    def __init__(self, address: Address, domain: str, now: Callable[[], float] = time.monotonic, dice: random.Random | None = None) -> None:
        self.address, self._domain, self._now = address, domain, now
        self._dice = dice or random.Random()  # noqa: S311 - when to try again is no secret
        self.problem = "it has not connected yet"
        self._last_trouble: Trouble | None = None
        self.sessions = 0
        self._stopping = False
        self._wake = allocate_lock()
        self._wake.acquire()
        self._session: _Session | None = None
        self._pulse: Timer | None = None
        self._follower: Follower | None = None
        self._thread: threading.Thread | None = None

    # --- an empty directory ------------------------------------------------------------------------------------------------

    def fetch(self, place: Place) -> None:
        """Fill an empty directory with the primary's newest snapshot. Raises ReplicaError where there is no primary, AuthenticationError."""
        newcomer = Newcomer(place, self._domain)
        try:
            with _Session(self.address, newcomer, self._now) as session:
                session.begin()
        except (LostError, PeerError) as error:
            what = f"There is no state yet in {place.directory}, and none could be had from the primary at {self.address}: {error}"
            raise ReplicaError(
                f"{what} No system was created. Start the primary, or check host=, port= and tls=.", primary=str(self.address)
            ) from error

    # --- follow --------------------------------------------------------------------------------------------------------------

    def follow(self, system: System) -> None:
        """Begin. Raises AuthenticationError and ReplicaError where the primary refuses; where there is none now, it is tried again and again."""
        assert isinstance(system.engine, FollowingEngine)
        self._follower = Follower(system.engine, str(self.address), self._now)
        session: _Session | None = _Session(self.address, self._follower, self._now)
        self._session = session
        self._pulse = Timer("replication pulse", BEAT, self._say_alive)
        assert session is not None
        try:
            session.begin()
            self.problem = ""
        except (LostError, PeerError) as error:
            session.close()
            self._trouble(error)
            session = self._session = None
        except BaseException:
            session.close()
            self._pulse.stop()
            raise
        after_fork_in_child(self._forked)
        self._thread = threading.Thread(target=self._run, args=(session,), name="coopy replica", daemon=True)
        self._thread.start()

    def _say_alive(self) -> None:
        session = self._session
        if session is not None:
            session.pulse()

    @property
    def follower(self) -> Follower:
        """Who follows, once there is a system."""
        assert self._follower is not None
        return self._follower

    def _run(self, begun: _Session | None) -> None:
        pause = FIRST_PAUSE
        while not self._stopping:
            began, executed = self._now(), self.follower.engine.executed
            try:
                with begun or _Session(self.address, self.follower, self._now) as session:
                    self._session = session
                    session.begin()
                    self._stream(session)
            except (DivergenceError, UpgradeError, DurabilityError, ClosedError, CorruptionError, MemoryError) as error:
                self._trouble(error)
                return  # the system says the same to whoever asks it
            except (CoopyError, OSError) as error:
                if isinstance(error, RefusedError):
                    pause = LONGEST_PAUSE
                elif not self.problem and (self.follower.engine.executed > executed or self._now() - began > PATIENCE):
                    pause = FIRST_PAUSE  # it went well; what fails at once each time, as a full disk does, is tried less and less often
                self._trouble(error)
            begun = self._session = None
            if self._wake.acquire(timeout=pause * self._dice.uniform(0.5, 1)):
                return
            pause = min(pause * 2, LONGEST_PAUSE)
        if begun is not None:  # it was stopped before it came to that
            begun.close()

    def _trouble(self, error: BaseException) -> None:
        text = str(error) or type(error).__name__
        if text != self.problem and not self._stopping:
            log.warning("The replica of %s does not follow: %s", self.address, text)
        self.problem, self._last_trouble = text, Trouble.now(error)

    def _stream(self, session: _Session) -> None:
        taking, follower = session.taking, self.follower
        self.problem, self.sessions = "", self.sessions + 1
        log.info("%s follows %s from LSN %d on.", follower.engine.archive.directory, self.address, follower.engine.executed)
        try:
            self._take_turns(session)
        except LostError:
            if not self._stopping:
                follower.take(taking.frames)  # a primary that is closed ships all it has before it goes
            raise

    def _take_turns(self, session: _Session) -> None:
        taking, follower = session.taking, self.follower
        while not self._stopping:
            asked, session.asked = session.asked, False
            with session.lent(lambda: follower.engine.journal.durable):
                executed = follower.take(taking.frames)
            taking.acknowledge(executed)
            if asked:
                taking.ask()
            session.turn(taking.wait())
            while 0 < len(taking.frames) < AT_ONCE and session.turn(0):
                pass

    # --- what can be asked -------------------------------------------------------------------------------------------------------

    @property
    def lag(self) -> int:
        """As Follower.lag."""
        return self.follower.lag

    @property
    def staleness(self) -> float:
        """As Follower.staleness."""
        return self.follower.staleness

    def wait_for(self, token: str, timeout: float) -> int:
        """Return when the state here shows what the token's owner saw; gives the LSN. Raises ReplicaError, and UnconfirmedError in the end."""
        engine = self.follower.engine
        deadline, session = self._now() + timeout, None
        while True:
            executed = engine.executed  # before the eras, and without the lock, which a long action keeps
            lsn = check_token(token, engine.archive.identity.system, engine.eras, str(self.address))
            if executed >= lsn:
                return executed
            if engine.final is not None:
                raise engine.refusal()
            if self._now() >= deadline:
                break
            if session is not self._session:
                session = self._session
                if session is not None:
                    session.ask()
            time.sleep(min(0.002, max(deadline - self._now(), 0)))
        what = f"The replica shows LSN {executed}, and not yet LSN {lsn} after {timeout:g} seconds"
        raise UnconfirmedError(f"{what}: {self.problem or 'it is behind'}. Wait longer, or ask the primary at {self.address}.", lsn=lsn)

    def stats(self) -> ReplicaStats:
        """As Peers says."""
        problem, trouble = self.problem, self._last_trouble  # of one moment
        return ReplicaStats(
            connected=not problem,
            problem=problem,
            lag=self.lag,
            staleness=self.staleness,
            sessions=self.sessions,
            received_bytes=self.follower.received,
            trouble=trouble,
        )

    # --- the end -------------------------------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Follow no more. Promptly: what came is kept whole or not at all. May be repeated, by several threads at once."""
        self._stopping = True
        with suppress(RuntimeError):  # somebody was faster
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

    def promote(self, after: int = 0) -> int:
        """End following; then as Follower.promote. What cannot be is told before."""
        engine = self.follower.engine
        engine.refuse_inside("promote()")
        engine.check_following()
        self.stop()
        return self.follower.promote(after)

    def _forked(self) -> None:
        """In a forked child: the connection is the parent's."""
        self._stopping = True
        self._thread = None
        if self._session is not None:
            self._session.hang_up()


# --- one session -------------------------------------------------------------------------------------------------------------------


class _Session:
    """A connection to the primary, and what is said on it. `with` closes it.

    Used by one thread, which lends it while it executes: then a timer says that it lives.
    """

    def __init__(self, address: Address, home: Home, now: Callable[[], float]) -> None:
        self._address, self._home, self._now = address, home, now
        self._link: Link | None = None
        self._taking: Taking | None = None
        self._guard, self._given_up = allocate_lock(), False
        self._durable: Callable[[], int] | None = None  # while it is lent
        self.asked = False  # somebody waits for what is not here yet

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    @property
    def taking(self) -> Taking:
        """What is said, once it is open."""
        assert self._taking is not None
        return self._taking

    def begin(self) -> None:
        """Connect, unless that was done, and go on until frames come. Raises LostError, PeerError, AuthenticationError, UsageError, ReplicaError."""
        if self._taking is None:
            self._open()
        while not self.taking.is_streaming:
            self.turn(self.taking.wait())

    def _open(self) -> None:
        address, hello = self._address, self._home.hello()
        self._link = connect(address.host, address.port, address.tls, address.password, self._now)
        if self._given_up:
            self._link.give_up()
        self._taking = Taking(self._home, hello, str(address), Prover(address.password, self._link.binding), self._now)
        self._taking.lent = self.lent

    def turn(self, timeout: float) -> bool:
        """Say and hear what there is; gives whether something came. Waits at most so many seconds."""
        assert self._link is not None
        data = self.taking.next()
        if data:
            self._link.offer(data)
        came = self._link.step(timeout)
        self.taking.receive(came)
        return bool(came)

    @contextmanager
    def lent(self, durable: Callable[[], int] = lambda: 0) -> Iterator[None]:
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
            if durable is not None and self._link is not None:
                data = self.taking.pulse(durable())
                if data:
                    self._link.offer(data)
                    self._link.push()

    def ask(self) -> None:
        """Have its thread ask the primary for what there is by now. Any thread may call it."""
        self.asked = True
        if self._link is not None:
            self._link.wake()

    def give_up(self) -> None:
        """Have whatever its thread does with it end now, by LostError, or as soon as it is connected. Any thread may call it."""
        self._given_up = True
        if self._link is not None:
            self._link.give_up()

    def hang_up(self) -> None:
        """Close the connection, and nothing else."""
        if self._link is not None:
            self._link.close()

    def close(self) -> None:
        """Give it back. May be repeated."""
        self.hang_up()
        if self._taking is not None:
            self._taking.close()
