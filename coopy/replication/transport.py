"""Connections: TCP, TLS 1.3 wherever it is not this machine alone, and Unix sockets.

    Listener   where a primary listens
    Link       one connection, used by one thread: what goes out waits in a buffer, `step` moves bytes both ways and never blocks for longer
               than it is told; `wake` ends its waiting from another thread

place.py says what is safe; it, certificate.py, unix.py and this file are the only ones of this room that know sockets.
A peer that neither takes nor says anything for `PATIENCE` seconds is given up; other silence is for the owner to judge.
"""

from __future__ import annotations

import errno
import select
import socket
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from coopy.error import AuthenticationError, UsageError
from coopy.logs import logger
from coopy.replication.auth import binding_of
from coopy.replication.certificate import own_certificate, why_broken, why_no_handshake
from coopy.replication.place import resolved, safe_places, shown
from coopy.replication.unix import UnixFile, absolute, check_peer, is_unix
from coopy.replication.wire import BEAT, PATIENCE, LostError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Link", "Listener", "connect"]

log = logger("replication")
AT_ONCE = 1 << 18  # bytes read in one step
HEAR = 1.0  # seconds for whoever is refused to read why
SCARCE = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
AGAIN = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


# --- one connection --------------------------------------------------------------------------------------------------


class Link:
    """A connection. `peer`: who is at its other end, for people; `host`: from where; `binding`: as auth.py says, empty without TLS.

    All its methods but `wake` and `give_up` belong to one thread. They raise LostError when it is lost.
    """

    def __init__(self, connected: socket.socket, peer: str, now: Callable[[], float]) -> None:
        connected.settimeout(0)
        if connected.family != socket.AF_UNIX:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket, self.peer, self._now = connected, peer, now
        self.host, self.binding = peer.rpartition(":")[0], b""
        self._out = bytearray()
        self._given_up = False
        self._moved = self._heard = now()
        self._bell, self._button = socket.socketpair()
        self._bell.settimeout(0)
        self._button.settimeout(0)
        self._poll = select.poll()
        self._poll.register(self._bell, select.POLLIN)

    @property
    def waiting(self) -> int:
        """Bytes that were offered and have not left."""
        return len(self._out)

    @property
    def silence(self) -> float:
        """Seconds since anything came."""
        return self._now() - self._heard

    def secure(self, tls: ssl.SSLContext, name: str, deadline: float) -> None:
        """Make it TLS 1.3: `name` is the primary's host on the replica's side, empty on the primary's. Raises AuthenticationError, too."""
        serving = not name
        certificate = own_certificate(tls) if serving else b""
        try:
            wrapped = tls.wrap_socket(
                self._socket, server_side=serving, server_hostname=name or None, do_handshake_on_connect=False, suppress_ragged_eofs=False
            )
            self._socket = wrapped
            self._shake_hands(wrapped, deadline)
        except (OSError, ValueError) as error:
            if serving:
                self.part(min(deadline, self._now() + HEAR))
            raise why_no_handshake(error, self.peer, serving=serving) from error
        if wrapped.version() != "TLSv1.3":
            raise LostError(f"{self.peer} speaks {wrapped.version()}, TLS 1.3 is the least that is safe. Update it.")
        self.binding = binding_of(certificate or wrapped.getpeercert(binary_form=True) or b"")

    def _shake_hands(self, wrapped: ssl.SSLSocket, deadline: float) -> None:
        while True:
            try:
                wrapped.do_handshake()
            except ssl.SSLWantReadError:
                self._wait(select.POLLIN, self._left(deadline))
            except ssl.SSLWantWriteError:
                self._wait(select.POLLOUT, self._left(deadline))
            else:
                return

    def part(self, deadline: float) -> None:
        """What was sent was the last, and is to be read. Close before what comes meanwhile is, and the other system may forget it."""
        with suppress(OSError, LostError):
            self._socket.shutdown(socket.SHUT_WR)
            while True:
                try:
                    if not self._socket.recv(AT_ONCE):
                        return
                except AGAIN:
                    self._wait(select.POLLIN, self._left(deadline))

    def _left(self, deadline: float) -> float:
        left = deadline - self._now()
        if left <= 0:
            raise TimeoutError("it took too long")
        return left

    def offer(self, data: bytes) -> None:
        """Have this sent; `step` does. The buffer has no bound of its own: look at `waiting` before making more."""
        if not self._out:
            self._moved = self._now()
        self._out += data

    def step(self, timeout: float) -> bytes:
        """Send what goes, give what came (empty: nothing yet). Waits at most `timeout` seconds for either, or until `wake`."""
        if isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            timeout = 0.0
        self._wait(select.POLLIN | (select.POLLOUT if self._out else 0), timeout)
        try:
            if self._out:
                self._send()
            return self._receive()
        except OSError as error:
            raise why_broken(error, self.peer) from error

    def push(self) -> None:
        """Send what goes now; waits for nothing, and nothing is received."""
        try:
            self._send()
        except OSError as error:
            raise why_broken(error, self.peer) from error

    def flush(self, deadline: float) -> None:
        """Send what waits, until then at the latest; what comes meanwhile is dropped. For last words."""
        while self._out and self._now() < deadline:
            self.step(max(deadline - self._now(), 0))

    def _send(self) -> None:
        with suppress(*AGAIN):
            sent = self._socket.send(memoryview(self._out)[:AT_ONCE].tobytes())
            del self._out[:sent]
            self._moved = self._now()
        if self._out and self._now() - max(self._moved, self._heard) > PATIENCE:
            raise LostError(f"{self.peer} has taken nothing and said nothing for {PATIENCE:g} seconds: the connection was given up.")

    def _receive(self) -> bytes:
        try:
            data = self._socket.recv(AT_ONCE)
        except AGAIN:
            return b""
        if not data:
            raise LostError(f"{self.peer} closed the connection.")
        self._heard = self._now()
        return data

    def _wait(self, events: int, timeout: float) -> None:
        self._poll.register(self._socket, events)
        for descriptor, _ in self._poll.poll(max(timeout, 0) * 1000):
            if descriptor == self._bell.fileno():
                with suppress(*AGAIN):
                    self._bell.recv(AT_ONCE)
        if self._given_up:
            raise LostError(f"The connection to {self.peer} was given up.")

    def wake(self) -> None:
        """End the present or the next waiting of `step`. Any thread may call it, also after `close`."""
        with suppress(OSError):
            self._button.send(b"!")

    def give_up(self) -> None:
        """Have whatever its thread does with it end now, by LostError. Any thread may call it."""
        self._given_up = True
        self.wake()

    def close(self) -> None:
        """Give it back. May be repeated."""
        for one in (self._socket, self._bell, self._button):
            with suppress(OSError):
                one.close()


def connect(host: str, port: int, tls: ssl.SSLContext | None, password: str, now: Callable[[], float]) -> Link:
    """A connection to a primary. Raises LostError where there is none, UsageError and AuthenticationError as `check_place` and `secure` do."""
    problem: OSError | None = None
    for family, address in safe_places(host, port, password, tls, serving=False):
        raw = socket.socket(family, socket.SOCK_STREAM)
        try:
            raw.settimeout(PATIENCE)
            raw.connect(address)
        except OSError as error:
            raw.close()
            problem = error
            continue
        try:
            return _met(raw, host, address, tls, now)
        except BaseException:
            raw.close()
            raise
    assert problem is not None
    raise LostError(f"{shown(host, port)} cannot be reached: {problem.strerror or problem}.") from problem


def _met(raw: socket.socket, host: str, address: Any, tls: ssl.SSLContext | None, now: Callable[[], float]) -> Link:
    """Whoever is at the other end is who it should be, as far as its address can tell."""
    if is_unix(host):
        check_peer(raw, host)
        return Link(raw, host, now)
    link = Link(raw, shown(*address[:2]), now)
    try:
        if tls is not None:
            link.secure(tls, host, now() + PATIENCE)
    except BaseException:
        link.close()
        raise
    return link


# --- where a primary listens -----------------------------------------------------------------------------------------


class Listener:
    """Accepts connections. `host`, `port`: where, with the port that the operating system chose for port 0. `accept` belongs to one thread."""

    def __init__(self, host: str, port: int, now: Callable[[], float]) -> None:
        self._now = now
        self._file = UnixFile(host) if is_unix(host) else None
        self._socket = _listening(host, port) if self._file is None else self._file.socket
        self._socket.settimeout(0)
        self._bell, self._button = socket.socketpair()
        self.host, self.port = absolute(host), 0 if self._file is not None else int(self._socket.getsockname()[1])

    def accept(self) -> Link | None:
        """The next connection; None when it was woken or nothing could be accepted. Waits."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        poll.register(self._bell, select.POLLIN)
        poll.poll()
        try:
            connected, address = self._socket.accept()
        except OSError as error:
            self._rest(error)
            return None
        try:
            return Link(connected, self._name(connected, address), self._now)
        except AuthenticationError as error:
            connected.close()
            log.warning("%s", error)
            return None
        except OSError as error:
            connected.close()
            self._rest(error)
            return None

    def _name(self, connected: socket.socket, address: Any) -> str:
        return shown(*address[:2]) if self._file is None else f"{self.host}:{check_peer(connected, self.host)}"

    def _rest(self, error: OSError) -> None:
        """Nothing could be accepted. It has gone again; or this process has no descriptor left, and looking again at once would find none."""
        if error.errno in SCARCE:
            log.warning("A replica could not be let in at %s: %s. It is tried again.", shown(self.host, self.port), error.strerror)
            poll = select.poll()
            poll.register(self._bell, select.POLLIN)
            poll.poll(BEAT * 1000)

    def wake(self) -> None:
        """Have `accept` return."""
        with suppress(OSError):
            self._button.send(b"!")

    def close(self) -> None:
        """Listen no more. May be repeated."""
        if self._file is not None:
            self._file.remove()
        self.hang_up()

    def hang_up(self) -> None:
        """Give back what is open, in a forked child: the parent goes on listening."""
        for one in (self._socket, self._bell, self._button):
            with suppress(OSError):
                one.close()


def _listening(host: str, port: int) -> socket.socket:
    """Raises UsageError where it is not possible."""
    family, address = resolved(host, port)[0]
    one = socket.socket(family, socket.SOCK_STREAM)
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind(address)
        one.listen(128)
    except OSError as error:
        one.close()
        what = f"A primary cannot listen at {shown(host, port)}: {error.strerror or error}"
        raise UsageError(f"{what}. Choose another port=, or end who has it.", option="port") from error
    return one
