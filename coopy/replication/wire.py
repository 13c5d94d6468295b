"""The protocol between a primary and its replicas, without sockets: bytes in, messages out, and the other way round.

Each side begins with 8 bytes, then sends messages:

    offset  size  field
         0     6  magic "coopyR"
         6     2  version of the protocol, little-endian
    then, for each message:
         0     4  length of the body in bytes, little-endian
         4     1  kind (MESSAGES below)
         5        body: for Chunk and Frames the bytes themselves, which have checks of their own; for all others a MessagePack array and, in the
                  last 4 bytes, its CRC-32, begun with the kind: a flipped bit must not confirm what is not there, or fence a primary

`MOVES` is the whole grammar: which message may come in which state and where it leads. `SPEAKER` says whose it is. Before the password is
proven nothing is longer than 1 KiB; nothing is ever decoded but these messages, and a length is judged before a byte of the body is kept.

Who breaks the protocol is said by the class: LocalError ("we": a bug here) or PeerError ("the peer"). After either nothing more is read.
LostError is neither's fault: the connection is gone, or nothing comes any more. Both sides say something every `BEAT` seconds, and who has
said nothing for `PATIENCE` seconds is gone.
What `Frames` carry are the frames of the primary's journal as they stand in its files (journal/frame.py), cut anywhere.
"""

from __future__ import annotations

import struct
import zlib
from enum import Enum
from typing import TypeAlias

import msgspec

from coopy.error import CoopyError
from coopy.header import Identity

__all__ = [
    "BEAT",
    "FEW",
    "MANY",
    "MESSAGES",
    "MOVES",
    "PATIENCE",
    "PRELUDE",
    "SPEAKER",
    "VERSION",
    "Ack",
    "Beat",
    "Challenge",
    "Chunk",
    "Connection",
    "First",
    "Frames",
    "Hello",
    "LocalError",
    "LostError",
    "Message",
    "PeerError",
    "Proof",
    "Refused",
    "Side",
    "State",
    "Verified",
    "Welcome",
]

MAGIC, VERSION = b"coopyR", 1
PRELUDE = MAGIC + VERSION.to_bytes(2, "little")
FRONT = struct.Struct("<IB")
FEW = 1 << 10  # bytes of a body before the password is proven
MANY = 1 << 18  # and after it
BEAT = 1.0  # seconds between two signs of life
PATIENCE = 5.0  # seconds


class LocalError(CoopyError):
    """This side sends what the protocol does not allow now: a bug of coopy."""


class PeerError(CoopyError):
    """The peer sends what the protocol does not allow. The connection is of no use any more."""


class LostError(CoopyError):
    """The connection is gone, or was never there."""


class Side(Enum):
    """Who speaks."""

    PRIMARY = "the primary"
    REPLICA = "the replica"


# --- messages --------------------------------------------------------------------------------------------------------


class First(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """SCRAM's client-first message."""

    text: str


class Challenge(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """SCRAM's server-first message."""

    text: str


class Proof(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """SCRAM's client-final message: the replica knows the password."""

    text: str


class Verified(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """SCRAM's server-final message: the primary knows it, too."""

    text: str


class Hello(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What the replica has: the system (empty: nothing yet), its class, and the epoch, the LSN and the tag of its last record.

    `action_tag`: of its last action, behind which it may have control records of its own (it was a primary). `known`: the epoch of the newest
    primary it knows of, which may be above any record's; `replica`: its directory, told from others.
    """

    system: bytes
    domain: str
    epoch: int
    lsn: int
    tag: bytes
    action_tag: bytes = b""
    known: int = 0
    replica: bytes = b""


class Welcome(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """How it goes on. `snapshot`: bytes of the snapshot file that comes first, 0 for none; `lsn`: what it holds, or what the replica has.

    `tag`: of the record after which the frames begin. `skips`: actions that the primary's operator left out of every restore.
    """

    identity: Identity
    epoch: int
    lsn: int
    tag: bytes
    snapshot: int
    skips: tuple[int, ...]


class Chunk(msgspec.Struct, frozen=True):
    """Bytes of the snapshot file."""

    data: bytes


class Frames(msgspec.Struct, frozen=True):
    """Bytes of the journal: its frames one after the other, cut anywhere."""

    data: bytes


class Beat(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The primary lives: its epoch, and the last LSN that is on stable storage there."""

    epoch: int
    lsn: int


class Ack(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The replica lives, and has everything up to this LSN on stable storage. Said again, it asks whether there is more by now."""

    lsn: int


class Refused(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The primary ends it. `code`: one of those in handshake.py, for programs; `text`: for people."""

    code: str
    text: str


Message: TypeAlias = First | Challenge | Proof | Verified | Hello | Welcome | Chunk | Frames | Beat | Ack | Refused

MESSAGES: dict[int, type[Message]] = {
    1: First, 2: Challenge, 3: Proof, 4: Verified, 5: Hello, 6: Welcome, 7: Chunk, 8: Frames, 9: Beat, 10: Ack, 11: Refused,
}  # fmt: skip
KINDS = {message: kind for kind, message in MESSAGES.items()}
SPEAKER: dict[type[Message], Side] = {
    First: Side.REPLICA, Challenge: Side.PRIMARY, Proof: Side.REPLICA, Verified: Side.PRIMARY, Hello: Side.REPLICA, Welcome: Side.PRIMARY,
    Chunk: Side.PRIMARY, Frames: Side.PRIMARY, Beat: Side.PRIMARY, Ack: Side.REPLICA, Refused: Side.PRIMARY,
}  # fmt: skip


# --- the grammar -----------------------------------------------------------------------------------------------------


class State(Enum):
    """Where a session stands, for both sides alike."""

    OPENED = "nobody has said anything"
    ASKED = "the replica has begun to prove the password"
    CHALLENGED = "the primary has answered with a challenge"
    PROVEN = "the replica has sent its proof"
    TRUSTED = "both have proven the password"
    GREETED = "the replica has said what it has"
    SNAPSHOT = "a snapshot file comes"
    STREAM = "frames come"
    ENDED = "the primary has refused"
    FAILED = "somebody broke the protocol"


MOVES: dict[State, dict[type[Message], State]] = {
    State.OPENED: {First: State.ASKED, Refused: State.ENDED},
    State.ASKED: {Challenge: State.CHALLENGED, Refused: State.ENDED},
    State.CHALLENGED: {Proof: State.PROVEN, Refused: State.ENDED},
    State.PROVEN: {Verified: State.TRUSTED, Refused: State.ENDED},
    State.TRUSTED: {Hello: State.GREETED, Refused: State.ENDED},
    State.GREETED: {Welcome: State.STREAM, Refused: State.ENDED},  # SNAPSHOT, where the welcome announces one
    State.SNAPSHOT: {Chunk: State.SNAPSHOT, Beat: State.SNAPSHOT, Ack: State.SNAPSHOT, Refused: State.ENDED},  # STREAM with the last chunk
    State.STREAM: {Frames: State.STREAM, Beat: State.STREAM, Ack: State.STREAM, Refused: State.ENDED},
    State.ENDED: {},
    State.FAILED: {},
}
TRUSTING = frozenset({State.TRUSTED, State.GREETED, State.SNAPSHOT, State.STREAM})


class Connection:
    """One side of one session. One thread uses it. `state`: where it stands; `left`: bytes of the snapshot file yet to come."""

    def __init__(self, side: Side) -> None:
        self.side, self.state, self.left = side, State.OPENED, 0
        self._buffer = bytearray()
        self._begun = self._met = False

    # --- out -------------------------------------------------------------------------------------------------------------

    def send(self, message: Message) -> bytes:
        """The bytes of a message. Raises LocalError where it is not ours to say, or not now."""
        kind = type(message)
        if SPEAKER[kind] is not self.side:
            raise self._ours(f"{kind.__name__} is not for {self.side.value} to send")
        body = message.data if isinstance(message, Chunk | Frames) else _sealed(kind, msgspec.msgpack.encode(message))
        if len(body) > self._limit():
            raise self._ours(f"{kind.__name__} has {len(body):,} bytes, {self._limit():,} are allowed while {self.state.value}")
        if not self._move(message):
            raise self._ours(f"{kind.__name__} cannot be sent while {self.state.value}")
        front = b"" if self._begun else PRELUDE
        self._begun = True
        return front + FRONT.pack(len(body), KINDS[kind]) + body

    # --- in --------------------------------------------------------------------------------------------------------------

    def receive(self, data: bytes) -> list[Message]:
        """The messages that are complete with these bytes. Raises PeerError; what came before in the same bytes is lost then."""
        if self.state is State.FAILED:
            raise PeerError("The peer broke the protocol before: nothing more is read.")
        if self.state is State.ENDED and data:
            raise self._theirs("it goes on after the end")
        self._buffer += data
        messages: list[Message] = []
        while self._is_met() and (message := self._next()) is not None:
            messages.append(message)
        return messages

    def _is_met(self) -> bool:
        """Whether the peer's first bytes are there; they are judged as far as they have come."""
        if not self._met:
            start = bytes(self._buffer[: len(PRELUDE)])
            if start[: len(MAGIC)] != MAGIC[: len(start)]:
                raise self._theirs(f"it does not speak coopy's protocol: {_guessed(start)}")
            if len(start) < len(PRELUDE):
                return False
            if start != PRELUDE:
                version = int.from_bytes(start[len(MAGIC) :], "little")
                raise self._theirs(f"it speaks version {version} of the protocol, this coopy speaks {VERSION}: install the same version")
            del self._buffer[: len(PRELUDE)]
            self._met = True
        return True

    def _next(self) -> Message | None:
        if len(self._buffer) < FRONT.size:
            return None
        length, number = FRONT.unpack_from(self._buffer)
        kind = MESSAGES.get(number)
        if kind is None:
            raise self._theirs(f"message kind {number} is unknown")
        if length > self._limit():
            raise self._theirs(f"{kind.__name__} has {length:,} bytes, {self._limit():,} are allowed while {self.state.value}")
        if SPEAKER[kind] is self.side or kind not in MOVES[self.state]:
            raise self._theirs(f"{kind.__name__} cannot come while {self.state.value}")
        if len(self._buffer) < FRONT.size + length:
            return None
        body = bytes(self._buffer[FRONT.size : FRONT.size + length])
        del self._buffer[: FRONT.size + length]
        message = self._decoded(kind, body)
        if not self._move(message):
            raise self._theirs(f"{kind.__name__} of {length:,} bytes is more than was announced")
        return message

    def _decoded(self, kind: type[Message], body: bytes) -> Message:
        if kind is Chunk or kind is Frames:
            return kind(body)
        content = body[:-4]
        if body != _sealed(kind, content):
            raise self._theirs(f"{kind.__name__} cannot be read (its CRC does not match)")
        try:
            message: Message = msgspec.msgpack.decode(content, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise self._theirs(f"{kind.__name__} cannot be read ({error})") from None
        return message

    # --- both ------------------------------------------------------------------------------------------------------------

    def _move(self, message: Message) -> bool:
        """Take the step that the message means. False where there is none."""
        following = MOVES[self.state].get(type(message))
        if following is None:
            return False
        if isinstance(message, Welcome):
            if message.snapshot < 0:
                return False
            self.left = message.snapshot
            following = State.SNAPSHOT if self.left else State.STREAM
        elif isinstance(message, Chunk):
            self.left -= len(message.data)
            if self.left < 0:
                return False
            following = State.SNAPSHOT if self.left else State.STREAM
        self.state = following
        return True

    def _limit(self) -> int:
        return MANY if self.state in TRUSTING else FEW

    def _ours(self, what: str) -> LocalError:
        self._fail()
        return LocalError(f"coopy broke its own protocol: {what}.")

    def _theirs(self, what: str) -> PeerError:
        self._fail()
        return PeerError(f"The peer broke the protocol: {what}. The connection was closed, nothing was changed.")

    def _fail(self) -> None:
        self.state = State.FAILED
        self._buffer.clear()


def _sealed(kind: type[Message], content: bytes) -> bytes:
    """A body with its CRC."""
    return content + zlib.crc32(content, KINDS[kind]).to_bytes(4, "little")


def _guessed(start: bytes) -> str:
    """What a stranger may be, by its first bytes."""
    if start[:1] == b"\x16":
        return "it begins a TLS handshake. Pass `tls=` on both sides, or on none"
    if start[:3] in {b"GET", b"POS", b"HEA", b"PUT"} or start[:5] == b"HTTP/":
        return "it speaks HTTP. Check host and port"
    if start[:1] == b"\x15":
        return "it answers with a TLS alert. Pass `tls=` on both sides, or on none"
    return f"it begins with {start!r}. Check host and port"
