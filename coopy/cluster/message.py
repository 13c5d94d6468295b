"""What stands in the shared journal, and its bytes. Pure: nothing here connects, keeps a state or knows what a call means.

    offset  size  field
         0     3  magic "cpm"
         3     1  version; a reader refuses a newer one
         4     1  kind (below)
         5    16  check: BLAKE2b-128 of magic, version, kind and body, keyed
        21        body: one MessagePack array, nothing behind it

The key is made of the system's secret and of the signing key, if there is one; for the GENESIS, which carries the secret, of the signing key only.
So without a signing key it keeps out what is damaged, of another system or another program's, but nobody who may read the stream. Nothing is decoded
before the check has passed.

A call is the record's payload as the journal stores it, behind one byte: its kind, times two, plus one where it is compressed.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TypeAlias

import msgspec

from coopy.error import ClusterError
from coopy.journal.frame import COMPRESSED, Kind, word_of

__all__ = [
    "FULL",
    "LARGEST",
    "MAX_SIZE",
    "Announced",
    "Calls",
    "Claim",
    "Digest",
    "Due",
    "Genesis",
    "Join",
    "Seal",
    "Sealed",
    "keyed",
    "seal",
    "unseal",
]

MAGIC = b"cpm"
VERSION = 1
FRONT = 21
CHECK_SIZE = 16
FULL = 512 << 10  # bytes of calls in one message that is written
LARGEST = FULL + 1024  # bytes of such a message, headers too: what a server must take
MAX_SIZE = 8 << 20  # far above what any server takes by default; what is longer is not ours
ID = 16
MOST_NODES = 4096
MOST_MINUTES = 1 << 15  # of a zone's offset, as a record of the journal has it
WORDS = {2 * kind + flags: word_of(kind, flags) for kind in Kind.CALLS for flags in (0, COMPRESSED)}
CODES = {word: code for code, word in WORDS.items()}


class Genesis(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The first message of a stream: whose it is, and which snapshot the shared journal begins with (the object's name, its SHA-256, its size).

    `generation`: which stream of the shared journal it is, from 1. One behind the first has no snapshot here, and `before` says when the one was made
    that it follows on: those that begin with it have what that one held before its SEAL.
    """

    system: bytes
    secret: bytes
    domain: str
    snapshot: str
    digest: bytes
    size: int
    generation: int = 1
    before: str = ""


class Join(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A node begins to write. `node`: of this opening of it, at random; `left_out`: LSNs of actions that it leaves out; the rest is its program.

    As Program says.
    """

    node: bytes
    domain: str
    versions: list[tuple[str, int]]
    source: bytes
    left_out: list[int] = []


class Calls(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Calls of one node, in order; none for a barrier. `counter`: which message of the node this is, from 1; `settled`: as Progress says."""

    node: bytes
    counter: int
    settled: int
    time_us: int
    utc_offset: int
    calls: list[tuple[int, bytes]]


class Announced(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A snapshot that a new node may begin with is in the object store, as in GENESIS. `lsn`: of its last action; `previous`: announced before it.

    `stream`: how many bytes the stream had when it was taken; `left_out`: LSNs of actions that its node leaves out.
    """

    lsn: int
    snapshot: str
    digest: bytes
    size: int
    previous: str
    stream: int
    left_out: list[int] = []


class Claim(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A node takes and sends the next snapshot. `behind`: the one announced last, empty before the first; `turn`: which attempt at the one behind that."""

    node: bytes
    behind: str
    turn: int


class Due(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Each node is to say the digest of its state at this place. `mark`: of this time, at random; `nodes`: those that were there, whose word counts."""

    mark: bytes
    nodes: list[bytes]


class Digest(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A node's state at the place of a Due, after the action with this LSN. `former`: a hash of its source where classes had other names once, else empty."""

    node: bytes
    mark: bytes
    lsn: int
    digest: bytes
    former: bytes


class Seal(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The last message of a stream: the one of this `generation` follows, which was made then (`created`). What stands behind it was never written."""

    generation: int
    created: str


Sealed: TypeAlias = Genesis | Join | Calls | Announced | Due | Digest | Claim | Seal
KINDS: dict[int, type[Sealed]] = {1: Genesis, 2: Join, 3: Calls, 4: Announced, 5: Due, 6: Digest, 7: Claim, 8: Seal}
NUMBERS = {kind: number for number, kind in KINDS.items()}
_decoders = {number: msgspec.msgpack.Decoder(kind) for number, kind in KINDS.items()}
_encode = msgspec.msgpack.Encoder().encode


def keyed(secret: bytes, signing: bytes) -> bytes:
    """The key of a system's messages. `signing`: as derive_key gives it, empty without a key; `secret`: the system's, empty for the GENESIS."""
    return hashlib.blake2b(secret, digest_size=32, key=signing, person=b"coopy messages").digest()


def seal(message: Sealed, key: bytes) -> bytes:
    """The message's bytes."""
    front, body = MAGIC + bytes((VERSION, NUMBERS[type(message)])), _encode(message)
    return front + _check(front, body, key) + body


def unseal(data: bytes, key: bytes) -> Sealed:
    """The message in these bytes. Raises ClusterError (what is wrong with it), and decodes nothing that has not passed its check."""
    if len(data) < FRONT or not data.startswith(MAGIC):
        raise ClusterError("it is no message of coopy's")
    if data[len(MAGIC)] != VERSION:
        raise ClusterError(f"it is of version {data[len(MAGIC)]}, and this program reads {VERSION}: a newer coopy wrote it")
    if len(data) > MAX_SIZE:
        raise ClusterError(f"it has {len(data):,} bytes, more than any that coopy writes")
    front, body = data[: FRONT - CHECK_SIZE], data[FRONT:]
    if not hmac.compare_digest(_check(front, body, key), data[len(front) : FRONT]):
        raise ClusterError("its check does not match: it is damaged, of another system, or signed with another key")
    decoder = _decoders.get(front[-1])
    if decoder is None:
        raise ClusterError(f"it is of kind {front[-1]}, which this program does not know: a newer coopy wrote it")
    try:
        message = decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ClusterError(f"it cannot be read: {error}") from error
    _check_values(message)
    return message


def _check(front: bytes, body: bytes, key: bytes) -> bytes:
    hasher = hashlib.blake2b(front, digest_size=CHECK_SIZE, key=key)
    hasher.update(body)
    return hasher.digest()


def _check_values(message: Sealed) -> None:
    """What the types do not say."""
    if isinstance(message, Calls):
        good = message.counter > 0 and 0 <= message.settled < message.counter and 0 < message.time_us < 1 << 62
        good = good and abs(message.utc_offset) < MOST_MINUTES and all(code in WORDS for code, _ in message.calls)
        ids: tuple[bytes, ...] = (message.node,)
    elif isinstance(message, Join):
        good, ids = all(lsn > 0 for lsn in message.left_out), (message.node,)
    elif isinstance(message, Genesis):
        good = len(message.secret) == 2 * ID and message.size >= 0 and message.generation > 0
        good = good and (message.generation == 1) is bool(message.snapshot) is not bool(message.before)
        ids = (message.system,)
    elif isinstance(message, Due):
        good, ids = 0 < len(message.nodes) <= MOST_NODES, (message.mark, *message.nodes)
    elif isinstance(message, Digest):
        good, ids = message.lsn >= 0 and len(message.digest) == 2 * ID, (message.node, message.mark)
    elif isinstance(message, Claim):
        good, ids = message.turn > 0, (message.node,)
    elif isinstance(message, Seal):
        good, ids = message.generation > 1 and bool(message.created), ()
    else:
        good, ids = message.lsn >= 0 and message.size >= 0 and message.stream >= 0 and all(lsn > 0 for lsn in message.left_out), ()
    if not good or any(len(one) != ID for one in ids):
        raise ClusterError("it holds a value that none of coopy's has")
