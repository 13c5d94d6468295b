"""The primary's threads: one that listens, and one for each replica, between its connection and shipping.py, which says what is to be said.

    accept     at most 16 wait to prove the password, 4 from one address, 5 seconds long, with 1 KiB each; one more and the longest waiting goes
    session    TLS -> as shipping.py says, at its own pace, for as long as the connection lives
    confirm    a call waits for `min_acks` replicas

No thread of this file ever holds the state's lock or a buffer that grows. A replica that acknowledges nothing for 5 seconds is dropped, and
comes again. `_sessions` and `_waiting` are changed under `_guard`.
"""

from __future__ import annotations

import threading
import time
from _thread import allocate_lock
from collections import Counter
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Self

from coopy.disk import after_fork_in_child
from coopy.engine.background import Timer
from coopy.engine.beside import WAKE
from coopy.engine.stats import PrimaryStats
from coopy.error import AuthenticationError, CoopyError, UnconfirmedError
from coopy.logs import logger
from coopy.replication.auth import Verifiers
from coopy.replication.place import check_place, shown
from coopy.replication.shipping import Shipper, Shipping
from coopy.replication.transport import Listener
from coopy.replication.wire import PATIENCE, LostError, PeerError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from coopy.engine.system import System
    from coopy.replication.place import Address
    from coopy.replication.transport import Link

__all__ = ["Primary"]

log = logger("replication")
MOST_WAITING, MOST_OF_ONE = 16, 4
SYNC = 0.02  # seconds between two syncs of a buffered primary with replicas
LAST = 2.0  # seconds for the last words of a session
CONFIRM = 5.0  # seconds that a call waits for `min_acks` replicas


class Primary:
    """Listens, and ships the journal of a system. `address` says where, with the port that was chosen for port 0."""

    def __init__(self, system: System, address: Address, min_acks: int = 0, now: Callable[[], float] = time.monotonic) -> None:
        check_place(address.host, address.password, address.tls, serving=True)
        self.system, self.tls, self.now = system, address.tls, now
        self.shipper = Shipper(system, Verifiers(address.password), min_acks, now)
        self.shipper.acknowledged = self._acknowledged
        self.confirm_within = CONFIRM
        self.stopping = False
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
        log.info("%s is a primary at %s.", system.archive.directory, shown(*self.address))

    # --- as Peers says ---------------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Listen no more, ship what there is, to whoever takes it within two seconds, and end every session."""
        with suppress(CoopyError):  # whoever closes the system meets it again
            self._sync()
        self.stopping = True
        self._listener.wake()
        with self._guard:
            waiting, sessions = [*self._waiting], [*self._sessions]
        for session in waiting:
            session.link.give_up()
        for session in sessions:
            session.link.wake()
        for thread in (self._thread, *(session.thread for session in (*waiting, *sessions))):
            if thread is not threading.current_thread():
                thread.join(PATIENCE)
        if self._timer is not None:
            self._timer.stop()
        self._listener.close()

    def stats(self) -> PrimaryStats:
        """As Peers says."""
        sessions = self.shipper.sessions()
        return PrimaryStats(
            replicas=len(sessions),
            acked=min((session.acked for session in sessions), default=0),
            shipped_bytes=self.shipper.shipped(),
            refused=self.shipper.refused,
        )

    def _forked(self) -> None:
        """In a forked child: the connections are the parent's."""
        self._guard = allocate_lock()
        self.shipper.forked()
        self.stopping = True
        self._listener.hang_up()
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
        """Whoever knows the password proves it in a moment. So where too many wait, it is the one who waits longest that goes, of the host with most."""
        session = Session(self, link)
        with self._guard:
            hosts = Counter(one.link.host for one in self._waiting)
            if hosts[link.host] >= MOST_OF_ONE:
                self._show_out(link.host)
            elif len(self._waiting) >= MOST_WAITING:
                self._show_out(max(hosts, key=hosts.__getitem__))
            self._waiting.append(session)
        try:
            session.thread.start()
        except RuntimeError as error:  # no thread is to be had
            log.warning("%s was not admitted: %s", link.peer, error)
            self.left(session)

    def _show_out(self, host: str) -> None:
        """Who waits longest of a host goes."""
        longest = next(one for one in self._waiting if one.link.host == host)
        longest.link.give_up()
        self._waiting.remove(longest)

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

    # --- who waits for acknowledgements ------------------------------------------------------------------------------------

    def confirm(self, lsn: int, within: float | None = None) -> None:
        """Return when `min_acks` replicas have this action. Raises UnconfirmedError after `within` seconds, by default `confirm_within`."""
        with _Waiter(self._calls, lsn) as waiter:
            self.wake()
            deadline = self.now() + (self.confirm_within if within is None else within)
            while self.shipper.confirmed() < lsn:
                if self.now() >= deadline or self.stopping:
                    raise self._unconfirmed(lsn)
                waiter.wait()

    def _unconfirmed(self, lsn: int) -> UnconfirmedError:
        has = self.stats().replicas
        when = "before it was closed" if self.stopping else f"in {self.confirm_within:g} seconds"
        what = f"LSN {lsn} is durable and executed here, but min_acks={self.shipper.min_acks} replicas did not confirm it {when}"
        return UnconfirmedError(
            f"{what} ({has} connected). This is not an undo: do not call it again. Replicas get it when they come.", lsn=lsn
        )

    def wake(self) -> None:
        """Something is there to be shipped."""
        with self._guard:
            sessions = [*self._sessions]
        for session in sessions:
            session.link.wake()

    def _acknowledged(self) -> None:
        if self._calls:
            confirmed = self.shipper.confirmed()
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


class Session:
    """One replica's connection, on a thread of its own."""

    def __init__(self, primary: Primary, link: Link) -> None:
        self.primary, self.link, self.now = primary, link, primary.now
        self.thread = threading.Thread(target=self._run, name=f"coopy replica {link.peer}", daemon=True)

    def _run(self) -> None:
        try:
            deadline = self.now() + PATIENCE
            if self.primary.tls is not None:
                self.link.secure(self.primary.tls, "", deadline)
            with closing(Shipping(self.primary.shipper, self.link.peer, self.link.binding, deadline)) as shipping:
                self._ship(shipping)
        except AuthenticationError as error:
            self.primary.shipper.refused += 1
            log.warning("%s", error)
        except PeerError as error:
            log.warning("%s: %s", self.link.peer, error)
        except (CoopyError, OSError) as error:
            if not self.primary.stopping:
                log.info("%s has gone: %s", self.link.peer, error)
        finally:
            self.primary.left(self)

    def _ship(self, shipping: Shipping) -> None:
        link, inside = self.link, False
        while not shipping.ended:
            if self.primary.stopping:
                self._ship_rest(shipping)
                return
            data = shipping.next(link.waiting)
            if data:
                link.offer(data)
            shipping.receive(link.step(0 if data else shipping.wait(link.waiting)))
            if shipping.is_trusted and not inside:
                inside = True
                self.primary.trusted(self)
        link.offer(shipping.next(link.waiting))
        with suppress(LostError):  # it may have gone before
            link.flush(self.now() + LAST)

    def _ship_rest(self, shipping: Shipping) -> None:
        """The primary is closed. A replica that has everything can take its place, and it can follow that one without a snapshot."""
        link, deadline = self.link, self.now() + LAST
        while self.now() < deadline:
            data = shipping.rest(link.waiting)
            if data:
                link.offer(data)
            elif not link.waiting:
                link.part(deadline)
                return
            shipping.receive(link.step(deadline - self.now() if link.waiting else 0))
