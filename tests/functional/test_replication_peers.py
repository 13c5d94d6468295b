"""Peers that are not what they should be, over real sockets: each gets what is due to it, and nobody else notices."""

from __future__ import annotations

import pickle
import socket
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

from coopy import control, init_system
from coopy.error import AuthenticationError, CoopyError, ReplicaError
from coopy.replication import primary as primary_room
from coopy.replication.auth import Prover, Verifiers
from coopy.replication.place import DEFAULT_PASSWORD
from coopy.replication.transport import Link, Listener, connect
from coopy.replication.wire import (
    FRONT,
    KINDS,
    MANY,
    PRELUDE,
    Ack,
    Challenge,
    Connection,
    First,
    Frames,
    Hello,
    LostError,
    Message,
    Proof,
    Refused,
    Side,
    Verified,
    Welcome,
)
from tests.asked import primary_stats, replica_stats
from tests.functional.test_replication import House, be_patient, ends, house, level, session_of, wait_until
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["house"]


class Peer:
    """One side of a session, message by message."""

    def __init__(self, link: Link, side: Side) -> None:
        self.link, self.connection, self.heard = link, Connection(side), list[Message]()

    def say(self, message: Message) -> None:
        self.link.offer(self.connection.send(message))
        self.heard += self.connection.receive(self.link.step(0))

    def hear(self) -> Any:
        end = time.monotonic() + 60
        while not self.heard:
            assert time.monotonic() < end
            self.heard += self.connection.receive(self.link.step(1))
        return self.heard.pop(0)

    def is_dropped(self) -> bool:
        """Read until the other side closes."""
        end = time.monotonic() + 60
        with suppress(LostError):
            while time.monotonic() < end:
                self.link.step(1)
            return False
        return True


@contextmanager
def caller(word: Any) -> Iterator[Peer]:
    """A replica of our own making, that has proven the password."""
    link = connect("127.0.0.1", control(word).address[1], None, DEFAULT_PASSWORD, time.monotonic)
    peer, prover = Peer(link, Side.REPLICA), Prover(DEFAULT_PASSWORD, b"")
    peer.say(First(prover.first))
    peer.say(Proof(prover.prove(peer.hear().text)))
    prover.check(peer.hear().text)
    yield peer
    link.close()


@contextmanager
def impostor(serve: Callable[[Peer], None]) -> Iterator[int]:
    """A primary of our own making, for every connection; gives its port."""
    listener, going = Listener("127.0.0.1", 0, time.monotonic), True

    def run() -> None:
        while going:
            link = listener.accept()
            if link is not None:
                with suppress(CoopyError, AssertionError):
                    serve(Peer(link, Side.PRIMARY))
                link.close()

    thread = threading.Thread(target=run)
    thread.start()
    yield listener.port
    going = False
    listener.wake()
    thread.join(60)
    listener.close()


def trusted(peer: Peer) -> Hello:
    """It knows the password; gives what the replica has."""
    verifier = Verifiers(DEFAULT_PASSWORD, 4096).begin(b"")
    peer.say(Challenge(verifier.challenge(peer.hear().text)))
    peer.say(Verified(verifier.verify(peer.hear().text)))
    hello = peer.hear()
    assert isinstance(hello, Hello)
    return hello


def has_gone(raw: socket.socket) -> bool:
    """Whether the other side closes, whatever it says before."""
    raw.settimeout(60)
    with suppress(ConnectionResetError):
        while raw.recv(1 << 16):
            pass
    return True


# --- at the primary's door -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP"), (b"\x16\x03\x01\x02\x00\x01", "TLS handshake"), (PRELUDE + FRONT.pack((1 << 32) - 1, 1), "4,294,967,295"),
        (PRELUDE + FRONT.pack(1025, 1), "1,025 bytes"), (pickle.dumps(print), "does not speak"), (PRELUDE + FRONT.pack(3, 99) + b"abc", "unknown"),
        (PRELUDE + FRONT.pack(3, KINDS[Hello]) + b"abc", "Hello cannot come"), (PRELUDE + FRONT.pack(3, KINDS[Ack]) + b"abc", "Ack cannot come"),
        (PRELUDE + FRONT.pack(5, KINDS[First]) + pickle.dumps(1), "cannot be read"), (PRELUDE[:6] + b"\xff\xff", "version 65535"),
    ],
)  # fmt: skip
def test_a_stranger_is_dropped_and_the_log_says_what_it_seems_to_be(
    house: House, tmp_path: Path, data: bytes, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing that it sent is decoded."""
    word = house.primary(tmp_path / "p")
    with caplog.at_level("INFO"), socket.create_connection(control(word).address) as raw:
        raw.sendall(data)
        assert has_gone(raw)
        wait_until(lambda: says in caplog.text)
    level(house.replica(word, tmp_path / "r"), word)


def test_who_says_nothing_or_little_is_dropped_by_the_clock(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One byte now and then does not prolong it."""
    monkeypatch.setattr(primary_room, "PATIENCE", 0.3)
    word = house.primary(tmp_path / "p")
    little, said = PRELUDE + FRONT.pack(1000, KINDS[First]) + bytes(1000), 0
    with socket.create_connection(control(word).address) as silent, socket.create_connection(control(word).address) as slow:
        slow.settimeout(0.02)
        with suppress(OSError):
            for byte in little:
                slow.sendall(bytes([byte]))
                said += 1
                with suppress(TimeoutError):
                    if not slow.recv(100):
                        break
        assert has_gone(silent)
    assert said < len(little)


def test_a_crowd_at_the_door_does_not_keep_the_right_one_out(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hundred that are idle, or half way through, of whom most are shown out at once; those who are in are not disturbed."""
    be_patient(monkeypatch)
    word = house.primary(tmp_path / "p")
    inside = house.replica(word, tmp_path / "inside")
    with ExitStack() as stack:
        for number in range(200):
            raw = stack.enter_context(socket.create_connection(control(word).address))
            with suppress(OSError):
                raw.sendall((PRELUDE + FRONT.pack(1000, 1))[: number % 14])
        word.add("a")
        level(house.replica(word, tmp_path / "r"), word)
        level(inside, word)
        wait_until(lambda: len([one for one in threading.enumerate() if one.name.startswith("coopy replica 127.0.0.1")]) <= 4 + 2)
    assert replica_stats(inside).sessions == 1


def test_passwords_are_guessed_slowly(house: House, tmp_path: Path) -> None:
    """Each wrong one costs half a second, and four from one address are tried at a time."""
    word = house.primary(tmp_path / "p")
    start = time.monotonic()
    link = connect("127.0.0.1", control(word).address[1], None, "guess", time.monotonic)
    peer, prover = Peer(link, Side.REPLICA), Prover("guess", b"")
    peer.say(First(prover.first))
    peer.say(Proof(prover.prove(peer.hear().text)))
    assert peer.hear() == Refused("authentication", "the password was not proven")
    assert time.monotonic() - start >= 0.5
    link.close()


@pytest.mark.parametrize("acks", [[5], [1, 0], [-1], [1 << 60]])
def test_acknowledgements_that_cannot_be_end_the_session(
    house: House, tmp_path: Path, acks: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    """Of what was never sent, and backwards."""
    word = house.primary(tmp_path / "p")
    word.add("a")
    with caller(word) as peer:
        peer.say(Hello(b"", "tests.words:Word", 0, 0, b""))
        while not isinstance(peer.hear(), Frames):
            pass
        for lsn in acks:
            with suppress(LostError):
                peer.say(Ack(lsn))
        assert peer.is_dropped()
    wait_until(lambda: "it acknowledges LSN" in caplog.text)
    assert word.add("b") == "ab"


@pytest.mark.parametrize(
    ("hello", "code"),
    [
        (Hello(b"another system 16", "tests.words:Word", 1, 0, b""), "other"), (Hello(b"", "os:system", 0, 0, b""), "other"),
        (Hello(b"\0" * 1000, "x" * 1000, 1 << 31, 1 << 62, b"t" * 1000), "other"),
    ],
)  # fmt: skip
def test_what_a_replica_says_of_itself_is_compared_not_believed(house: House, tmp_path: Path, hello: Hello, code: str) -> None:
    """Whatever it is."""
    word = house.primary(tmp_path / "p")
    with caller(word) as peer:
        peer.say(hello)
        assert peer.hear().code == code
        assert peer.is_dropped()


def test_a_replica_that_never_reads_costs_no_memory(house: House, tmp_path: Path) -> None:
    """What it has not taken is on disk: nothing is made ready for it beyond what the operating system holds, and half a megabyte."""
    word = house.primary(tmp_path / "p", durability="buffered")
    with caller(word) as peer:
        peer.say(Hello(b"", "tests.words:Word", 0, 0, b""))
        peer.hear()
        for _ in range(3000):
            word.keep("x" * 10_000)
        control(word).wait_durable()
        link = session_of(word).link
        wait_until(lambda: link.waiting >= MANY)
        for _ in range(5):  # it says something each time, and takes nothing
            before = link._heard
            peer.link.offer(peer.connection.send(Ack(0)))
            peer.link.push()
            wait_until(lambda before=before: link._heard != before)
        assert primary_stats(word).shipped_bytes < 15_000_000
    assert control(word).lsn == 3000


def test_who_takes_nothing_holds_up_its_primarys_closing_for_a_moment_only(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it has not taken is on disk, for when it comes again. So it is with one that says nothing of itself."""
    be_patient(monkeypatch)
    monkeypatch.setattr(primary_room, "LAST", 0.1)
    word = house.primary(tmp_path / "p")
    with caller(word) as peer, caller(word):
        peer.say(Hello(b"", "tests.words:Word", 0, 0, b""))
        for _ in range(30):
            word.keep("x" * 1_000_000)
        ends(control(word).close)


# --- at the replica's --------------------------------------------------------------------------------------------------------


def test_a_server_that_does_not_know_the_password_is_not_listened_to(tmp_path: Path) -> None:
    """Though it offers a state at once."""

    def serve(peer: Peer) -> None:
        verifier = Verifiers("another", 4096).begin(b"")
        peer.say(Challenge(verifier.challenge(peer.hear().text)))
        peer.hear()
        peer.say(Verified("v=" + "A" * 43 + "="))
        peer.is_dropped()

    with impostor(serve) as port, pytest.raises(AuthenticationError, match="not the primary"):
        init_system(Word, tmp_path / "r", replication=True, port=port)
    assert not list((tmp_path / "r").glob("*.snap*"))


@pytest.mark.parametrize(
    "says", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x15\x03\x03\x00\x02", b"220 mail", PRELUDE + FRONT.pack(1 << 30, 2), b""]
)
def test_a_server_that_is_no_primary_is_named(tmp_path: Path, says: bytes) -> None:
    """And nothing is created from what it says."""

    def serve(peer: Peer) -> None:
        peer.link.offer(says)
        peer.link.step(0)

    with impostor(serve) as port, pytest.raises(ReplicaError, match="none could be had"):
        init_system(Word, tmp_path / "r", replication=True, port=port)


def spoilt(frames: bytes, how: str) -> bytes:
    """Frames of three actions, made wrong."""
    first = 56 + int.from_bytes(frames[8:12], "little")
    changed = bytearray(frames)
    if how == "gap":
        return frames[first:]
    if how == "repeat":
        return frames[:first] * 2
    if how == "flip":
        changed[first + 60] ^= 1
    elif how == "length":
        changed[8:12] = b"\xff\xff\xff\x0f"
    elif how == "garbage":
        return b"garbage " * 100
    elif how == "epoch":
        changed[12:16] = bytes(4)
    return bytes(changed)


@pytest.mark.parametrize("how", ["gap", "repeat", "flip", "length", "garbage", "epoch"])
def test_frames_that_do_not_follow_are_not_taken(house: House, tmp_path: Path, how: str) -> None:
    """Nothing that came with them is; the replica says what is wrong, keeps what it has, and goes on with a right primary."""
    word = house.primary(tmp_path / "p")
    port = control(word).address[1]
    replica = house.replica(word, tmp_path / "r")
    word.add("a")
    level(replica, word)
    archive = control(word)._system.archive
    control(replica).close()
    end = control(word)._system.engine.journal.end
    for letter in "bcd":
        word.add(letter)
    frames = (tmp_path / "p" / "journal-00000000000000000001.log").read_bytes()[end : control(word)._system.engine.journal.end]

    def serve(peer: Peer) -> None:
        hello = trusted(peer)
        peer.say(Welcome(archive.identity, 1, hello.lsn, hello.tag, 0, ()))
        peer.say(Frames(spoilt(frames, how)))
        peer.is_dropped()

    with impostor(serve) as wrong:
        replica = house.replica(word, tmp_path / "r", port=wrong)
        wait_until(lambda: "does not follow" in control(replica).problem)
        assert control(replica).lsn == 1
        control(replica).close()
    replica = house.replica(word, tmp_path / "r", port=port)
    level(replica, word)


def test_a_primary_that_goes_on_from_elsewhere_is_not_followed(house: House, tmp_path: Path) -> None:
    """It says that what follows comes behind a record that the replica does not have."""
    word = house.primary(tmp_path / "p")
    port = control(word).address[1]
    with caller(word) as peer:
        peer.say(Hello(b"", "tests.words:Word", 0, 0, b""))
        identity = peer.hear().identity
    replica = house.replica(word, tmp_path / "r")
    word.add("a")
    level(replica, word)
    control(replica).close()

    def serve(peer: Peer) -> None:
        hello = trusted(peer)
        peer.say(Welcome(identity, 1, hello.lsn, bytes(16), 0, ()))
        peer.is_dropped()

    with impostor(serve) as wrong:
        replica = house.replica(word, tmp_path / "r", port=wrong)
        wait_until(lambda: "not here" in control(replica).problem)
        control(replica).close()
    assert not (tmp_path / "r" / "quarantine").exists()
    level(house.replica(word, tmp_path / "r", port=port), word)


def test_an_older_primary_that_does_not_know_that_it_is_one_is_not_followed(house: House, tmp_path: Path) -> None:
    """Though it would welcome the replica."""
    word = house.primary(tmp_path / "p")
    replica = house.replica(word, tmp_path / "r")
    control(replica).promote(port=0)
    replica.add("a")
    other = house.replica(replica, tmp_path / "o")
    level(other, replica)
    with caller(replica) as peer:
        peer.say(Hello(b"", "tests.words:Word", 0, 0, b""))
        identity = peer.hear().identity
    control(other).close()

    def serve(peer: Peer) -> None:
        hello = trusted(peer)
        peer.say(Welcome(identity, 5, hello.lsn, hello.tag, 0, ()))
        peer.is_dropped()

    with impostor(serve) as older, pytest.raises(ReplicaError, match="knows a newer one"):
        house.replica(word, tmp_path / "o", port=older)
