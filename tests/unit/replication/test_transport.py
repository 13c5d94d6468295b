"""Real sockets on loopback: bytes arrive, waiting ends in time, and what is not safe is refused before a connection is made."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from coopy.error import AuthenticationError, CoopyError, UsageError
from coopy.replication.place import DEFAULT_PASSWORD, check_place
from coopy.replication.transport import Link, Listener, connect
from coopy.replication.wire import LostError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PLENTY = 60.0


@pytest.fixture
def listener() -> Iterator[Listener]:
    one = Listener("127.0.0.1", 0, time.monotonic)
    yield one
    one.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with certificate and key of localhost."""
    folder: Path = tmp_path_factory.mktemp("certificate")
    make_certificate(folder, "localhost")
    return folder


def make_certificate(folder: Path, name: str) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not here to make a certificate")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    subprocess.run([*command, *names, "-keyout", folder / "key", "-out", folder / "crt"], check=True, capture_output=True)


def serving(folder: Path) -> ssl.SSLContext:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(folder / "crt", folder / "key")
    return tls


def asking_for_certificates(folder: Path, trusted: Path) -> ssl.SSLContext:
    tls = serving(folder)
    tls.load_verify_locations(trusted / "crt")
    tls.verify_mode = ssl.CERT_REQUIRED
    return tls


def trusting(folder: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(folder / "crt"))


def beside(work: Callable[[], Any]) -> Callable[[], Any]:
    """Do it on another thread; what is given waits for it, and gives what it gave or raises what it raised."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append(work())
        except CoopyError as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()

    def joined() -> Any:
        thread.join(PLENTY)
        assert outcome, "it hangs"
        if isinstance(outcome[0], CoopyError):
            raise outcome[0]
        return outcome[0]

    return joined


def linked(listener: Listener, server: ssl.SSLContext | None = None, client: ssl.SSLContext | None = None) -> tuple[Link, Link]:
    """The two ends of a connection."""
    host = "localhost" if client else listener.host
    ours = beside(lambda: connect(host, listener.port, client, "a password", time.monotonic))
    theirs = listener.accept()
    assert theirs is not None
    try:
        if server is not None:
            theirs.secure(server, "", time.monotonic() + PLENTY)
        return theirs, ours()
    except BaseException:
        theirs.close()
        raise


def heard(link: Link, size: int) -> bytes:
    data = b""
    end = time.monotonic() + PLENTY
    while len(data) < size and time.monotonic() < end:
        data += link.step(1.0)
    return data


def step_often(link: Link) -> None:
    for _ in range(1000):
        link.step(0)


def secured(link: Link, server: ssl.SSLContext) -> None:
    """The primary's end of a handshake, and what comes after it."""
    link.secure(server, "", time.monotonic() + PLENTY)
    heard(link, 1)


def asking(port: int, client: ssl.SSLContext) -> Callable[[], Any]:
    return beside(lambda: connect("localhost", port, client, "a password", time.monotonic))


def pump(one: Link, other: Link, size: int) -> bytes:
    """Step both in turn until the other has it all."""
    data = b""
    while len(data) < size:
        one.step(0)
        data += other.step(0)
    return data


@pytest.mark.parametrize("encrypted", [False, True])
def test_what_is_offered_arrives_whole_in_both_directions(listener: Listener, certificate: Path, encrypted: bool) -> None:
    """More than any buffer holds."""
    primary, replica = linked(listener, serving(certificate), trusting(certificate)) if encrypted else linked(listener)
    data = bytes(range(256)) * 20_000
    for one, other in ((primary, replica), (replica, primary)):
        one.offer(data)
        assert pump(one, other, len(data)) == data
        assert one.waiting == 0
    assert bool(primary.binding) is encrypted
    assert primary.binding == replica.binding
    primary.close()
    replica.close()


def test_waiting_ends_when_told(listener: Listener) -> None:
    """By the clock, or by another thread."""
    primary, replica = linked(listener)
    assert primary.step(0.01) == b""
    woken = beside(lambda: primary.step(60 * PLENTY))
    primary.wake()
    assert woken() == b""
    primary.close()
    primary.wake()
    replica.close()


def test_accepting_ends_when_told(listener: Listener) -> None:
    """So that closing is prompt."""
    listener.wake()
    assert listener.accept() is None


def test_a_peer_that_goes_is_lost(listener: Listener) -> None:
    """And so is one that resets."""
    primary, replica = linked(listener)
    replica.close()
    with pytest.raises(LostError, match=r"closed|broke"):
        heard(primary, 1)
    primary.close()


def test_a_peer_that_takes_nothing_is_given_up(listener: Listener) -> None:
    """By the clock that was handed in."""
    times = iter(range(0, 10_000, 2))
    client = socket.create_connection((listener.host, listener.port))
    connected, _ = listener._socket.accept()
    link = Link(connected, "127.0.0.1:1", lambda: float(next(times)))
    link.offer(bytes(50 << 20))
    with pytest.raises(LostError, match="taken nothing"):
        step_often(link)
    link.close()
    client.close()


@pytest.mark.parametrize(
    ("host", "password", "says"),
    [
        ("0.0.0.0", "a password", "tls="), ("192.0.2.1", "a password", "tls="), ("127.0.0.1", "", "empty"), ("", "a password", "no name"),
        ("a" * 300, "a password", "no name|not known"), ("no such host", "a password", "no name|not known"), ("::", "a password", "tls="),
    ],
)  # fmt: skip
@pytest.mark.parametrize("side", [True, False])
def test_what_is_not_safe_or_not_possible_is_named(host: str, password: str, says: str, side: bool) -> None:
    """On both sides alike."""
    with pytest.raises((UsageError, LostError), match=says):
        check_place(host, password, None, serving=side)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.9.1"])
def test_the_default_password_is_good_on_this_machine_alone(host: str, certificate: Path) -> None:
    """Elsewhere it is refused, TLS or not."""
    check_place(host, DEFAULT_PASSWORD, None, serving=True)
    with pytest.raises(UsageError, match="default password"):
        check_place("192.0.2.1", DEFAULT_PASSWORD, trusting(certificate), serving=False)
    check_place("192.0.2.1", "a password", trusting(certificate), serving=False)


def test_contexts_that_verify_nothing_or_present_nothing_are_named(certificate: Path) -> None:
    """Before a connection is made."""
    blind = trusting(certificate)
    blind.check_hostname = False
    with pytest.raises(UsageError, match="does not verify"):
        check_place("localhost", "a password", blind, serving=False)
    for wrong in (trusting(certificate), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), "tls"):
        with pytest.raises(UsageError, match="tls="):
            check_place("localhost", "a password", wrong, serving=True)  # type: ignore[arg-type]


def test_a_certificate_that_does_not_verify_is_refused_by_the_replica(listener: Listener, certificate: Path, tmp_path: Path) -> None:
    """Of another authority, or of another name."""
    make_certificate(tmp_path, "elsewhere.example")
    for presented, trusted in ((certificate, tmp_path), (tmp_path, tmp_path)):
        ours = asking(listener.port, trusting(trusted))
        theirs = listener.accept()
        assert theirs is not None
        with pytest.raises(AuthenticationError, match="does not accept the certificate"):
            secured(theirs, serving(presented))
        with pytest.raises(AuthenticationError, match="does not verify"):
            ours()
        theirs.close()


@pytest.mark.parametrize(
    ("shows", "says", "hears"), [("nothing", "shows no certificate", "asks for a certificate"), ("another", "not verify", "not accept")]
)
def test_a_replica_whose_certificate_does_not_count_hears_why(
    listener: Listener, certificate: Path, tmp_path: Path, shows: str, says: str, hears: str
) -> None:
    """When it reads for the first time, and not before."""
    make_certificate(tmp_path, "a replica")
    server, client = asking_for_certificates(certificate, certificate), trusting(certificate)
    if shows == "another":
        client.load_cert_chain(tmp_path / "crt", tmp_path / "key")
    ours = asking(listener.port, client)
    theirs = listener.accept()
    assert theirs is not None
    refused = beside(lambda: secured(theirs, server))
    link = ours()
    link.offer(bytes(5000))
    with pytest.raises(AuthenticationError, match=hears):
        heard(link, 1)
    link.close()
    with pytest.raises(AuthenticationError, match=says):
        refused()
    theirs.close()


def test_what_a_refused_replica_had_said_does_not_make_the_system_forget_why(listener: Listener, certificate: Path) -> None:
    """Closing before it is read would be a reset, which may overtake the alert, or have the other side's system drop it."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = trusting(certificate).wrap_bio(there, back, server_hostname="localhost")
    with socket.create_connection((listener.host, listener.port)) as raw:
        raw.settimeout(PLENTY)
        theirs = listener.accept()
        assert theirs is not None

        def refuse() -> None:
            try:
                secured(theirs, asking_for_certificates(certificate, certificate))
            finally:
                theirs.close()

        refused = beside(refuse)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                raw.sendall(back.read())
                there.write(raw.recv(1 << 16))
        raw.sendall(back.read() + bytes(5000))
        raw.shutdown(socket.SHUT_WR)
        while raw.recv(1 << 16):  # a reset would raise here
            pass
        with pytest.raises(AuthenticationError, match="shows no certificate"):
            refused()


def test_tls_on_one_side_only_is_named(listener: Listener, certificate: Path) -> None:
    """Whoever begins it hears that the other may not speak it."""
    ours = beside(lambda: connect("localhost", listener.port, trusting(certificate), "a password", time.monotonic))
    theirs = listener.accept()
    assert theirs is not None
    assert heard(theirs, 1)[:1] == b"\x16"
    theirs.offer(b"coopyR\x01\x00")
    with suppress(LostError):  # ours may have gone as soon as it has seen that
        theirs.step(0)
    with pytest.raises(LostError, match="tls="):
        ours()
    theirs.close()


def test_an_older_tls_is_refused(listener: Listener, certificate: Path) -> None:
    """1.3 is the least."""
    older = trusting(certificate)
    older.maximum_version = ssl.TLSVersion.TLSv1_2
    ours = beside(lambda: connect("localhost", listener.port, older, "a password", time.monotonic))
    theirs = listener.accept()
    assert theirs is not None
    with pytest.raises(LostError, match=r"TLS"):
        theirs.secure(serving(certificate), "", time.monotonic() + PLENTY)
    theirs.close()
    with pytest.raises(LostError, match="TLS"):
        ours()


def test_a_handshake_that_is_never_finished_ends_by_its_deadline(listener: Listener, certificate: Path) -> None:
    """A peer that connects and says nothing."""
    client = socket.create_connection((listener.host, listener.port))
    theirs = listener.accept()
    assert theirs is not None
    with pytest.raises(LostError, match="too long"):
        theirs.secure(serving(certificate), "", time.monotonic() + 0.05)
    theirs.close()
    client.close()


def test_a_port_that_is_taken_and_one_where_nobody_listens(listener: Listener) -> None:
    """Each says what to do."""
    with pytest.raises(UsageError, match="another port"):
        Listener(listener.host, listener.port, time.monotonic)
    port = listener.port
    listener.close()
    with pytest.raises(LostError, match="cannot be reached"):
        connect("127.0.0.1", port, None, DEFAULT_PASSWORD, time.monotonic)
