"""The protocol without sockets: what is said is heard, whatever way the bytes are cut, and what may not be said has a name."""

from __future__ import annotations

import pickle
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopy.header import Identity
from coopy.replication import wire
from coopy.replication.wire import (
    FEW,
    FRONT,
    KINDS,
    MANY,
    MESSAGES,
    MOVES,
    PRELUDE,
    SPEAKER,
    Ack,
    Beat,
    Challenge,
    Chunk,
    Connection,
    First,
    Frames,
    Hello,
    LocalError,
    Message,
    PeerError,
    Proof,
    Refused,
    Side,
    State,
    Verified,
    Welcome,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

IDENTITY = Identity(b"a system's id 16", bytes(32), "tests.words:Word")
ONE_OF_EACH: dict[type[Message], Message] = {
    First: First("n,,n=coopy,r=abc"), Challenge: Challenge("r=abcd,s=c2FsdA==,i=4096"), Proof: Proof("c=biws,r=abcd,p=cHJvb2Y="), Verified: Verified("v=c2ln"),
    Hello: Hello(b"a system's id 16", "tests.words:Word", 3, 7, b"t" * 16), Welcome: Welcome(IDENTITY, 3, 7, b"t" * 16, 4, (5,)), Chunk: Chunk(b"snap"),
    Frames: Frames(b"frames"), Beat: Beat(3, 9), Ack: Ack(9), Refused: Refused("other", "another system"),
}  # fmt: skip
SESSION = [
    *(ONE_OF_EACH[kind] for kind in (First, Challenge, Proof, Verified, Hello, Welcome, Chunk, Frames, Ack, Beat)),
]  # as a replica and a primary speak in turn
WAYS: dict[State, list[type[Message]]] = {
    State.OPENED: [], State.ASKED: [First], State.CHALLENGED: [First, Challenge], State.PROVEN: [First, Challenge, Proof],
    State.TRUSTED: [First, Challenge, Proof, Verified], State.GREETED: [First, Challenge, Proof, Verified, Hello],
    State.SNAPSHOT: [First, Challenge, Proof, Verified, Hello, Welcome], State.STREAM: [First, Challenge, Proof, Verified, Hello, Welcome, Chunk],
    State.ENDED: [Refused],
}  # fmt: skip


def pair() -> dict[Side, Connection]:
    return {side: Connection(side) for side in Side}


def other(side: Side) -> Side:
    return Side.PRIMARY if side is Side.REPLICA else Side.REPLICA


def pieces(data: bytes, size: int) -> Iterable[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def hear(hearer: Connection, data: Iterable[bytes]) -> None:
    for piece in data:
        hearer.receive(piece)


def led_to(state: State) -> dict[Side, Connection]:
    """Two sides that have come to a state."""
    sides = pair()
    for kind in WAYS[state]:
        say(sides, ONE_OF_EACH[kind])
    assert sides[Side.PRIMARY].state is sides[Side.REPLICA].state is state
    return sides


def say(sides: dict[Side, Connection], message: Message) -> None:
    speaker = SPEAKER[type(message)]
    assert sides[other(speaker)].receive(sides[speaker].send(message)) == [message]


def test_the_tables_know_every_message_and_every_state() -> None:
    """No message without a number, a speaker and a place; no state without a way to it."""
    every = set(wire.Message.__args__)
    assert set(MESSAGES.values()) == set(SPEAKER) == every == {kind for moves in MOVES.values() for kind in moves}
    assert set(MOVES) == set(State)
    reached = {State.OPENED, State.SNAPSHOT, State.FAILED} | {state for moves in MOVES.values() for state in moves.values()}
    assert reached == set(State)


@pytest.mark.parametrize("state", [state for state in State if MOVES[state]])
def test_a_primary_may_refuse_at_any_time(state: State) -> None:
    """And a refusal is the end."""
    sides = led_to(state)
    say(sides, Refused("other", "another system"))
    assert sides[Side.REPLICA].state is State.ENDED


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1 << 20])
def test_a_session_is_heard_as_it_was_said_however_its_bytes_are_cut(size: int) -> None:
    """Whole, byte by byte, and with a tail."""
    sides = pair()
    for message in SESSION:
        speaker = SPEAKER[type(message)]
        data = sides[speaker].send(message)
        heard = [one for piece in pieces(data, size) for one in sides[other(speaker)].receive(piece)]
        assert heard == [message]
    assert sides[Side.REPLICA].state is sides[Side.PRIMARY].state is State.STREAM


def test_two_messages_at_once_and_a_third_in_parts() -> None:
    """What is incomplete waits."""
    sides = led_to(State.STREAM)
    data = b"".join(sides[Side.PRIMARY].send(one) for one in (Beat(3, 1), Frames(b"ab"), Beat(3, 2)))
    assert sides[Side.REPLICA].receive(data[:-1]) == [Beat(3, 1), Frames(b"ab")]
    assert sides[Side.REPLICA].receive(data[-1:]) == [Beat(3, 2)]


@settings(deadline=None)
@given(
    st.lists(st.one_of(st.binary(max_size=300).map(Frames), st.builds(Beat, st.integers(0, 1 << 32), st.integers(0, 1 << 60)))), st.data()
)
def test_any_stream_cut_anywhere_is_the_same_stream(messages: list[Message], data: st.DataObject) -> None:
    """Whatever is in it."""
    sides = led_to(State.STREAM)
    sent = b"".join(map(sides[Side.PRIMARY].send, messages))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=10)))
    heard = [
        one for start, stop in zip([0, *cuts], [*cuts, len(sent)], strict=True) for one in sides[Side.REPLICA].receive(sent[start:stop])
    ]
    assert heard == messages


@settings(deadline=None)
@given(
    st.binary(min_size=1, max_size=400), st.sampled_from([state for state in WAYS if state is not State.ENDED]), st.sampled_from(list(Side))
)
def test_any_bytes_are_messages_or_a_named_error(garbage: bytes, state: State, side: Side) -> None:
    """Nothing else comes out of hostile bytes, and nothing after the error."""
    hearer = led_to(state)[side]
    try:
        heard = hearer.receive(garbage)
    except PeerError:
        assert hearer.state is State.FAILED
        with pytest.raises(PeerError):
            hearer.receive(b"more")
        assert not hearer._buffer
    else:
        assert all(SPEAKER[type(one)] is not side for one in heard)


@pytest.mark.parametrize("state", list(WAYS))
@pytest.mark.parametrize("kind", list(ONE_OF_EACH))
def test_what_the_tables_do_not_allow_is_refused_on_both_sides(state: State, kind: type[Message]) -> None:
    """To be said: LocalError. To be heard: PeerError."""
    speaker = SPEAKER[kind]
    if kind in MOVES[state]:
        return
    with pytest.raises(LocalError, match=kind.__name__):
        led_to(state)[speaker].send(ONE_OF_EACH[kind])
    hearer = led_to(state)[other(speaker)]
    front = b"" if hearer._met else PRELUDE
    with pytest.raises(PeerError, match="the end" if state is State.ENDED else kind.__name__):
        hearer.receive(front + FRONT.pack(3, KINDS[kind]))


@pytest.mark.parametrize("kind", list(ONE_OF_EACH))
def test_nobody_says_what_is_the_others_to_say(kind: type[Message]) -> None:
    """Nor hears from the other what would be its own to say."""
    wrong = other(SPEAKER[kind])
    with pytest.raises(LocalError, match=kind.__name__):
        led_to(State.STREAM)[wrong].send(ONE_OF_EACH[kind])
    with pytest.raises(PeerError, match=kind.__name__):
        led_to(State.STREAM)[SPEAKER[kind]].receive(FRONT.pack(1, KINDS[kind]))


@pytest.mark.parametrize(
    ("state", "side", "limit"), [(State.OPENED, Side.PRIMARY, FEW), (State.PROVEN, Side.REPLICA, FEW), (State.STREAM, Side.REPLICA, MANY)]
)
def test_a_length_is_judged_before_a_byte_of_the_body(state: State, side: Side, limit: int) -> None:
    """A frame of 4 GiB costs nothing, before the password is proven nothing above 1 KiB."""
    kind = next(kind for kind in MOVES[state] if SPEAKER[kind] is not side)
    for length in (limit + 1, (1 << 32) - 1):
        hearer = led_to(state)[side]
        tracemalloc.start()
        with pytest.raises(PeerError, match=f"{length:,} bytes"):
            hearer.receive((b"" if hearer._met else PRELUDE) + FRONT.pack(length, KINDS[kind]))
        assert tracemalloc.get_traced_memory()[1] < 1 << 16
        tracemalloc.stop()


def test_what_is_never_complete_takes_no_more_than_the_limit() -> None:
    """Bytes that come one by one are kept up to the announced length, not beyond."""
    hearer = led_to(State.STREAM)[Side.REPLICA]
    assert hearer.receive(FRONT.pack(MANY, KINDS[Frames]) + bytes(MANY - 1)) == []
    assert len(hearer._buffer) < MANY + FRONT.size
    assert hearer.receive(b"\0") == [Frames(bytes(MANY))]


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (b"GET / HTTP/1.1\r\n", "HTTP"), (b"HTTP/1.1 400", "HTTP"), (b"\x16\x03\x01\x02", "TLS handshake"), (b"\x15\x03\x03", "TLS alert"),
        (b"SSH-2.0-x", "SSH-2.0"),
        (b"c", ""), (b"coopyX", "does not speak"), (PRELUDE[:6] + b"\x07\x00", "version 7"), (pickle.dumps(print), "does not speak"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [1, 100])
def test_a_stranger_is_known_by_its_first_bytes(first: bytes, expected: str, size: int) -> None:
    """HTTP, TLS where there is none, a pickle, another version: each is told what it seems to be."""
    hearer = Connection(Side.PRIMARY)
    if not expected:
        assert hearer.receive(first) == []
        return
    with pytest.raises(PeerError, match="protocol") as raised:
        hear(hearer, pieces(first, size))
    assert expected in str(raised.value) or size == 1


@pytest.mark.parametrize("body", [b"", b"\xc1", b"\x91\xc0", b"\x92\xa1a\xa1b", b"\x91" * 900, b"\x91\xa2\xff\xfe", pickle.dumps("x")])
def test_a_body_that_is_no_message_is_named(body: bytes) -> None:
    """It is never unpickled; fields too many or of another type are errors."""
    with pytest.raises(PeerError, match="First cannot be read"):
        Connection(Side.PRIMARY).receive(PRELUDE + FRONT.pack(len(body), KINDS[First]) + body)


def test_a_snapshot_is_as_long_as_it_was_announced() -> None:
    """Not longer; and frames come only after its last byte."""
    sides = led_to(State.SNAPSHOT)
    say(sides, Chunk(b"sn"))
    with pytest.raises(LocalError, match="Frames"):
        sides[Side.PRIMARY].send(Frames(b"x"))
    with pytest.raises(PeerError, match="Frames"):
        sides[Side.REPLICA].receive(FRONT.pack(1, KINDS[Frames]) + b"x")
    with pytest.raises(PeerError, match="announced"):
        led_to(State.SNAPSHOT)[Side.REPLICA].receive(FRONT.pack(5, KINDS[Chunk]) + b"toolo")


def test_no_message_is_shown_with_the_password() -> None:
    """Only proofs travel; what is printed of a session holds none."""
    assert "copynet" not in repr(SESSION)
