"""Records and their bytes. Pure: nothing here opens a file, keeps a state or knows what an action means.

A record is framed in 56 bytes, little-endian, and its payload:

    offset  size  field
         0     2  magic "cp"; its first byte is stored last: a frame without it was never published
         2     1  type (below); the high bit says that an older reader may pass over it
         3     1  flags; bit 0: the payload is compressed by zlib
         4     4  CRC-32 of magic, type, flags and bytes 8 to 56, started from the system's salt
         8     4  length of the payload as stored
        12     4  epoch: grows by one with each opening for writing, and to the next multiple of 65,536 with a promotion
        16     8  LSN; of the last action before it for a control record, which consumes none
        24     4  durable back: LSN minus the highest one known to be on stable storage when this was written
        28     2  the local zone's offset from UTC, in minutes
        30     2  executed back: LSN minus the highest one whose outcome was known
        32     8  time in microseconds since 1970, UTC
        40    16  tag: BLAKE2b-128 of the tag before, of bytes 0 to 4, 8 to 24, 28 to 40, and of the payload; keyed when signed

"Back" fields stop at their largest value, which understates what is known and is safe. Durable back is outside of the tag: it is about
this copy on this disk. The CRC keeps a damaged length from looking like the end; the tag binds content, order and history.
A payload with 512 zero bytes in a row is stored compressed, so that a sector of zeros always means "never written".
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from functools import lru_cache

import msgspec

from coopy.error import NotSerializableError

__all__ = ["HEADER_SIZE", "MAX_PAYLOAD", "Frame", "Framer", "Kind", "genesis_tag", "original", "salt_of", "stored", "word_of"]

MAGIC = b"cp"
HEADER_SIZE = 56
TAG_AT = 40
TAG_SIZE = 16
MAX_PAYLOAD = 256 << 20
COMPRESSED = 1
IGNORABLE = 0x80
ZEROS = bytes(512)

_FIELDS = struct.Struct("<IIQIhHQ").pack  # length, epoch, lsn, durable back, utc offset, executed back, time
_WHOLE = struct.Struct("<4sI48s").pack  # word, CRC, the rest
HEADER = struct.Struct("<4sIIIQIhHQ16s")
TAGGED = struct.Struct("<16s4sIIQhHQ").pack  # what a tag is of, but for the payload: the tag before, word, fields without durable back
# The same for a reader of many frames, with the first four bytes as a number: numbers are found faster than bytes.
AS_READ = struct.Struct("<IIIIQIhHQ16s").unpack
AS_KNOWN = struct.Struct("<I4xIIQ4xh2xQ16x").unpack_from  # word, length, epoch, LSN, zone, time of a frame that was checked before
TAGGED_AS_READ = struct.Struct("<16sIIIQhHQ").pack

_blake2b, _crc32 = hashlib.blake2b, zlib.crc32


class Kind:
    """The types of records. Calls consume an LSN; control records carry the one of the last call."""

    MSGPACK, PICKLE = 1, 2
    RAISED, SKIP, EPOCH, CHECKPOINT, CLOSE, SEAL, TAKEN = 3, 4, 5, 6, 7, 8, 9
    CALLS = (MSGPACK, PICKLE)
    NAMES = {  # noqa: RUF012 - a table
        1: "CALL", 2: "CALL", 3: "RAISED", 4: "SKIP", 5: "EPOCH", 6: "CHECKPOINT", 7: "CLOSE", 8: "SEAL", 9: "TAKEN",
    }  # fmt: skip


class Frame(msgspec.Struct, frozen=True, gc=False):
    """A header as read, not yet judged by its tag."""

    word: bytes
    crc: int
    length: int
    epoch: int
    lsn: int
    durable_back: int
    utc_offset: int
    executed_back: int
    time_us: int
    tag: bytes

    @property
    def kind(self) -> int:
        """The record's type."""
        return self.word[2]

    @property
    def flags(self) -> int:
        """The record's flags."""
        return self.word[3]


def salt_of(system: bytes) -> int:
    """Where the CRC of a system's headers starts, so that frames of another system do not pass."""
    return _crc32(system)


def genesis_tag(system: bytes, key: bytes) -> bytes:
    """The tag before the first record of a system."""
    return _blake2b(system, digest_size=TAG_SIZE, key=key).digest()


def stored(kind: int, payload: bytes) -> tuple[bytes, bytes]:
    """The frame's first four bytes and the payload as they go to disk. Raises NotSerializableError beyond MAX_PAYLOAD."""
    if len(payload) < len(ZEROS):
        return WORDS[kind, 0], payload
    if len(payload) > MAX_PAYLOAD:
        what = f"The call takes {len(payload):,} bytes, a record holds at most {MAX_PAYLOAD:,}: pass less at once."
        raise NotSerializableError(what, size=len(payload), limit=MAX_PAYLOAD)
    if ZEROS in payload:
        return WORDS[kind, COMPRESSED], zlib.compress(payload, 1)
    return WORDS[kind, 0], payload


def original(flags: int, payload: bytes) -> bytes:
    """What `stored` was given. The tag has vouched for the bytes, so the limit is only a second check."""
    if not flags & COMPRESSED:
        return payload
    inflater = zlib.decompressobj()
    content = inflater.decompress(payload, MAX_PAYLOAD)
    if inflater.unconsumed_tail or not inflater.eof:
        raise zlib.error("a compressed payload does not end within the limit")
    return content


def word_of(kind: int, flags: int) -> bytes:
    """The first four bytes of a frame."""
    return MAGIC + bytes((kind, flags))


WORDS = {(kind, flags): word_of(kind, flags) for kind in Kind.NAMES for flags in (0, COMPRESSED)}
READABLE = [word_of(kind, flags) for kind in range(256) if kind in Kind.NAMES or kind & IGNORABLE for flags in (0, COMPRESSED)]


@lru_cache(maxsize=16)
def _started(salt: int) -> tuple[dict[bytes, int], dict[int, int]]:
    """The CRC behind each readable word, by its bytes and by its number: a system that is opened again need not compute them again."""
    crcs = {word: _crc32(word, salt) for word in READABLE}
    return crcs, {int.from_bytes(word, "little"): crc for word, crc in crcs.items()}


class Framer:
    """Writes and checks the frames of one system. It has no state, threads may share it.

    `salt` starts the CRC, `key` keys the tags (empty: unkeyed).
    """

    __slots__ = ("crc32", "crcs", "crcs_as_read", "hasher", "key", "salt")

    def __init__(self, salt: int, key: bytes) -> None:
        self.salt, self.key, self.crc32 = salt, key, _crc32
        self.hasher = _blake2b(digest_size=TAG_SIZE, key=key)
        crcs, as_read = _started(salt)
        self.crcs, self.crcs_as_read = {**crcs}, {**as_read}

    def frame(  # noqa: PLR0913 - the fields of the frame, on the hot path: no object is made to carry them
        self,
        word: bytes,
        payload: bytes,
        lsn: int,
        epoch: int,
        durable_back: int,
        utc_offset: int,
        executed_back: int,
        time_us: int,
        previous: bytes,
    ) -> tuple[bytes, bytes]:
        """The frame's bytes and its tag."""
        fields = _FIELDS(len(payload), epoch, lsn, durable_back, utc_offset, executed_back, time_us)
        hasher = self.hasher.copy()  # cheaper than a new one
        hasher.update(TAGGED(previous, word, len(payload), epoch, lsn, utc_offset, executed_back, time_us))
        hasher.update(payload)
        tag = hasher.digest()
        fields += tag
        return _WHOLE(word, _crc32(fields, self.crcs[word]), fields) + payload, tag

    def header(self, data: bytes, offset: int) -> Frame | None:
        """The frame header at this offset, or None where there is no valid one."""
        if offset + HEADER_SIZE > len(data):
            return None
        frame = Frame(*HEADER.unpack_from(data, offset))
        start = self.crcs.get(frame.word)
        if start is None or _crc32(data[offset + 8 : offset + HEADER_SIZE], start) != frame.crc:
            return None
        return frame

    def tag(self, data: bytes, offset: int, length: int, previous: bytes) -> bytes:
        """The tag that the frame at this offset should have."""
        body = offset + HEADER_SIZE
        content = previous + data[offset : offset + 4] + data[offset + 8 : offset + 24] + data[offset + 28 : offset + 40]
        hasher = self.hasher.copy()
        hasher.update(content + data[body : body + length])
        return hasher.digest()
