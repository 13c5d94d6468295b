"""Connections: TCP, and TLS 1.3 wherever it is not this machine alone. The only file of this room that knows sockets.

    Listener   where a primary listens
    Link       one connection, used by one thread: what goes out waits in a buffer, `step` moves bytes both ways and never blocks for longer
               than it is told; `wake` ends its waiting from another thread

Plain TCP is for loopback only, and so is the default password: whoever reads the wire reads the state. The certificate of a primary is
verified, always. A peer that neither takes nor says anything for `PATIENCE` seconds is given up; other silence is for the owner to judge.
"""

from __future__ import annotations

import errno
import ipaddress
import select
import socket
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

from coopy.error import AuthenticationError, UsageError
from coopy.logs import logger
from coopy.replication.auth import binding_of
from coopy.replication.wire import BEAT, PATIENCE, LostError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["DEFAULT_PASSWORD", "PATIENCE", "Address", "Link", "Listener", "LostError", "check_place", "connect"]

log = logger("replication")
DEFAULT_PASSWORD = "copynet"  # noqa: S105 - the original's, known to everybody, and therefore accepted on loopback only
LONGEST_PASSWORD = 1024
AT_ONCE = 1 << 18  # bytes read in one step
SCARCE = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
Places: TypeAlias = list[tuple[int, tuple[str | int, ...]]]  # families and addresses
AGAIN = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Address:
    """Where a primary listens, and what it takes to be let in. Shown without the password."""

    __slots__ = ("host", "password", "port", "tls")

    def __init__(self, host: str, port: int, password: str, tls: ssl.SSLContext | None = None) -> None:
        self.host, self.port, self.password, self.tls = host, port, password, tls

    def __repr__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


# --- where it may be -------------------------------------------------------------------------------------------------


def check_place(host: str, password: str, tls: ssl.SSLContext | None, *, serving: bool) -> None:
    """Raises UsageError for what is not safe or not possible, LostError for a host that nobody knows now. Opens no connection."""
    _safe_places(host, 0, password, tls, serving=serving)


def _safe_places(host: str, port: int, password: str, tls: ssl.SSLContext | None, *, serving: bool) -> Places:
    """Where that is, each judged by `check_place`: whoever asks for a name again may be told another place."""
    if not password:
        raise UsageError("password is empty: everybody would know it. Choose one.", option="password")
    if len(password) > LONGEST_PASSWORD:
        what = f"password has {len(password):,} characters, and every connection would cost so much time"
        raise UsageError(f"{what}. Choose one of at most {LONGEST_PASSWORD:,}.", option="password")
    if tls is not None:
        _check_context(tls, serving=serving)
    places = _resolved(host, port)
    elsewhere = [address for *_, address in places if not ipaddress.ip_address(str(address[0]).split("%")[0]).is_loopback]
    if elsewhere and tls is None:
        what = f"host={host!r} is not this machine alone, and without TLS everybody on the way reads the state and can change it"
        raise UsageError(f"{what}. Pass tls= (an ssl.SSLContext), or use 127.0.0.1.", option="tls")
    if elsewhere and password == DEFAULT_PASSWORD:
        what = f"host={host!r} is not this machine alone, and the default password is known to everybody"
        raise UsageError(f"{what}. Pass a password= of your own on both sides.", option="password")
    return places


def _check_context(tls: ssl.SSLContext, *, serving: bool) -> None:
    if not isinstance(tls, ssl.SSLContext):
        raise UsageError(f"tls={tls!r} is not possible: it is an ssl.SSLContext.", option="tls")
    if serving:
        _own_certificate(tls)
    elif tls.verify_mode is not ssl.CERT_REQUIRED or not tls.check_hostname:
        what = "tls= does not verify the primary's certificate and name, so anybody could be the primary"
        raise UsageError(f"{what}. Use ssl.create_default_context(cafile=...).", option="tls")


def _own_certificate(tls: ssl.SSLContext) -> bytes:
    """The certificate that a context presents (DER). There is no way to ask it: so a handshake is made with it, in memory."""
    asking = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    asking.check_hostname, asking.verify_mode = False, ssl.CERT_NONE
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = asking.wrap_bio(back, there)
    try:
        server = tls.wrap_bio(there, back, server_side=True)
        for side in (client, server, client):
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
        certificate = client.getpeercert(binary_form=True)
    except (ssl.SSLError, ValueError) as error:
        what = f"tls= cannot be used by a primary ({error})"
        raise UsageError(
            f"{what}. Use ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) and load_cert_chain(...).", option="tls"
        ) from error
    if not certificate:
        raise UsageError("tls= has no certificate: load_cert_chain(...) gives a primary one.", option="tls")
    return certificate


def _resolved(host: str, port: int) -> Places:
    """The families and addresses of a host. Raises LostError where nobody knows it, UsageError where nobody ever could."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM) if host else []
    except (UnicodeError, ValueError) as error:
        raise UsageError(f"host={host!r} is no name of a host.", option="host") from error
    except OSError as error:
        raise LostError(f"host={host!r} is not known here: {error.strerror}. Check the name, or the network.", option="host") from error
    if not found:
        raise UsageError(f"host={host!r} is no name of a host.", option="host")
    return [(family, (str(address[0]), *address[1:])) for family, _, _, _, address in found]


def _shown(address: tuple[str | int, ...]) -> str:
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"


# --- one connection --------------------------------------------------------------------------------------------------


class Link:
    """A connection. `peer`: who is at its other end, for people; `host`: from where; `binding`: as auth.py says, empty without TLS.

    All its methods but `wake` and `give_up` belong to one thread. They raise LostError when it is lost.
    """

    def __init__(self, connected: socket.socket, peer: str, now: Callable[[], float]) -> None:
        connected.settimeout(0)
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
        certificate = _own_certificate(tls) if serving else b""
        try:
            wrapped = tls.wrap_socket(
                self._socket, server_side=serving, server_hostname=name or None, do_handshake_on_connect=False, suppress_ragged_eofs=False
            )
            self._socket = wrapped
            self._shake_hands(wrapped, deadline)
        except ssl.SSLCertVerificationError as error:
            what = f"The certificate of {self.peer} does not verify: {error.verify_message}. Nothing was sent to it"
            raise AuthenticationError(f"{what}. Check host=, the certificate and the authorities that tls= trusts.") from error
        except (OSError, ValueError) as error:
            what = f"TLS with {self.peer} failed: {error}. It may speak plain TCP, or not accept tls="
            raise LostError(f"{what}. Pass `tls=` on both sides, or on none.") from error
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
            raise LostError(f"The connection to {self.peer} broke: {error.strerror or error}.") from error

    def push(self) -> None:
        """Send what goes now; waits for nothing, and nothing is received."""
        try:
            self._send()
        except OSError as error:
            raise LostError(f"The connection to {self.peer} broke: {error.strerror or error}.") from error

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
    for family, address in _safe_places(host, port, password, tls, serving=False):
        raw = socket.socket(family, socket.SOCK_STREAM)
        try:
            raw.settimeout(PATIENCE)
            raw.connect(address)
        except OSError as error:
            raw.close()
            problem = error
            continue
        link = Link(raw, _shown(address), now)
        try:
            if tls is not None:
                link.secure(tls, host, now() + PATIENCE)
        except BaseException:
            link.close()
            raise
        return link
    assert problem is not None
    raise LostError(f"{host}:{port} cannot be reached: {problem.strerror or problem}.") from problem


# --- where a primary listens -----------------------------------------------------------------------------------------


class Listener:
    """Accepts connections. `host`, `port`: where, with the port that the operating system chose for port 0. `accept` belongs to one thread."""

    def __init__(self, host: str, port: int, now: Callable[[], float]) -> None:
        family, address = _resolved(host, port)[0]
        self._now = now
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind(address)
            self._socket.listen(128)
        except OSError as error:
            self._socket.close()
            what = f"A primary cannot listen at {host}:{port}: {error.strerror or error}"
            raise UsageError(f"{what}. Choose another port=, or end who has it.", option="port") from error
        self._socket.settimeout(0)
        self._bell, self._button = socket.socketpair()
        self.host, self.port = host, int(self._socket.getsockname()[1])

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
            return Link(connected, _shown(address), self._now)
        except OSError as error:
            connected.close()
            self._rest(error)
            return None

    def _rest(self, error: OSError) -> None:
        """Nothing could be accepted. It has gone again; or this process has no descriptor left, and looking again at once would find none."""
        if error.errno in SCARCE:
            log.warning("A replica could not be let in at %s:%d: %s. It is tried again.", self.host, self.port, error.strerror)
            poll = select.poll()
            poll.register(self._bell, select.POLLIN)
            poll.poll(BEAT * 1000)

    def wake(self) -> None:
        """Have `accept` return."""
        with suppress(OSError):
            self._button.send(b"!")

    def close(self) -> None:
        """Listen no more. May be repeated."""
        for one in (self._socket, self._bell, self._button):
            with suppress(OSError):
                one.close()
