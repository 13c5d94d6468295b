"""One segment: a file `journal-<first LSN, 20 digits>.log` of a header and frames. It knows bytes and order, not what an action means.

    512 bytes or more   header (coopy/header.py): identity, first LSN, the tag before the first frame
    frames              as journal/frame.py draws them, one after the other, none spans two segments
    zeros               space reserved ahead; a zero magic is the end. Given back when the segment is sealed or closed

RAISED and SKIP records of an action are in the segment of the action: a segment is sealed after the outcomes of all its actions.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections import deque
from typing import TYPE_CHECKING

import msgspec

from coopy import header
from coopy.error import CorruptionError, FormatError
from coopy.journal.frame import AS_KNOWN, AS_READ, COMPRESSED, HEADER_SIZE, MAGIC, TAG_AT, TAGGED_AS_READ, Kind, original, word_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coopy.journal.frame import Frame, Framer

    Record = tuple[int, int, int, int, bytes]  # an action: LSN, time in us, UTC offset in minutes, kind, payload

__all__ = [
    "Head",
    "Outcomes",
    "Scan",
    "SegmentHeader",
    "Taken",
    "foretell",
    "head_before",
    "is_sealed",
    "is_silent",
    "known_by",
    "last_frame",
    "parse_segment_name",
    "read_header",
    "records",
    "scan",
    "segment_name",
]

_SPOKEN = re.compile(b"|".join(re.escape(word_of(kind, flags)) for kind in (Kind.RAISED, Kind.SKIP) for flags in (0, COMPRESSED)))
_HOP = struct.Struct("<I4xI").unpack_from
NOT_ITS_CONTENT = (zlib.error, msgspec.MsgspecError, UnicodeDecodeError)
_PLAIN = {int.from_bytes(word_of(kind, 0), "little"): kind for kind in Kind.CALLS}
_CALLS = frozenset(int.from_bytes(word_of(kind, flags), "little") for kind in Kind.CALLS for flags in (0, COMPRESSED))
_SEAL = int.from_bytes(word_of(Kind.SEAL, 0), "little")
_SATURATED = 0xFFFF


class SegmentHeader(msgspec.Struct, frozen=True, array_like=True):
    """What a segment's header says beside its version."""

    identity: header.Identity
    first_lsn: int
    previous_tag: bytes


class Head(msgspec.Struct, frozen=True):
    """Where the journal ends: the last action and the tag of the last record (`tag`) and of the last action (`action_tag`)."""

    lsn: int
    time_us: int
    epoch: int
    tag: bytes
    action_tag: bytes


class Outcomes(msgspec.Struct):
    """What control records say, by LSN: which actions raised and which are to be left out, and digests of the state.

    `known`: up to there no word means that an action returned. `taken`: messages of the shared journal, in order, where this is a node's.
    """

    raised: dict[int, str] = {}
    skipped: dict[int, str] = {}
    digests: dict[int, str] = {}
    known: int = 0
    taken: list[Taken] = []


class Taken(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """That the actions behind this record came in one message of a shared journal. `after`: the LSN before them; `calls`: how many they are.

    `sequence`: of the message there; `node`, `counter`: who wrote it, and which of theirs it is, 0 for the first; `settled`: up to which of theirs
    it was known what became of them, so that none of those comes again. `generation`: which of the journal's streams the message stands in, from 1; message
    1 of one behind the first says that the one before was sealed, and all before its seal taken.
    """

    sequence: int
    node: bytes
    counter: int
    settled: int
    after: int
    calls: int
    generation: int = 1

    @property
    def place(self) -> tuple[int, int]:
        """Where the message stands: places grow."""
        return self.generation, self.sequence


class Scan(msgspec.Struct):
    """What the checked part of a segment holds: up to `end`, the last record at `last`. `problem`: why checking stopped before the end of the data, if it did.

    `known`: up to there the bytes are known to be those that were checked another day, so that their CRCs and tags hold. `before`: the LSN before its
    first action.
    """

    head: Head
    end: int
    known: int = 0
    last: int = -1
    said: Outcomes = msgspec.field(default_factory=Outcomes)
    sealed: int = 0
    closed: bool = False
    problem: str = ""
    before: int = -1

    def __post_init__(self) -> None:
        """Where it begins, before any of it was looked at."""
        self.before = self.head.lsn


def head_before(first_lsn: int, previous_tag: bytes) -> Head:
    """Where the journal stands before a segment, as far as its first LSN and the tag before it say."""
    return Head(first_lsn - 1, 0, 0, previous_tag, b"")


def segment_name(first_lsn: int) -> str:
    """The file name of the segment that starts with this LSN."""
    return f"journal-{first_lsn:020d}.log"


def parse_segment_name(name: str) -> int | None:
    """The first LSN in a segment's file name; None for any other name."""
    digits = name[len("journal-") :][:20]
    return int(digits) if digits.isdecimal() and segment_name(int(digits)) == name else None


def read_header(data: bytes, key: bytes, path: str, identity: header.Identity | None) -> tuple[SegmentHeader, int]:
    """The header and where the frames begin. Raises CorruptionError if it is damaged or of another system than `identity`."""
    found, start = header.unpack(data, header.SEGMENT, SegmentHeader, key, path)
    if identity is not None and found.identity.system != identity.system:
        what = f"{path} is a segment of another system, and has no place in this directory."
        raise CorruptionError(what, path=path, offset=0, lsn=found.first_lsn)
    return found, start


def scan(data: bytes, framer: Framer, found: Scan, path: str) -> Scan:
    """Check every frame behind `found.end`; gives `found`. `records` says what is checked and raised."""
    deque(records(data, framer, found, path), maxlen=0)
    return found


def records(data: bytes, framer: Framer, found: Scan, path: str) -> Iterator[Record]:
    """The actions behind `found.end`, each after its frame was checked: header CRC, LSN, time, epoch and tag, which follow on `found.head`.

    When it ends, `found` says how far it came and what the control records say. Executes and decodes nothing but these. Raises FormatError at
    a record of a type that this version does not know.
    """
    while found.end < len(data) and not found.problem:
        yield from _known(data, found)
        yield from _checked(data, framer, found, path)
    frame = framer.header(data, found.last) if found.last >= 0 else None
    if frame is not None:  # what the last record says of all before it
        found.said.known, found.closed = known_by(frame), frame.kind == Kind.CLOSE


def _known(data: bytes, found: Scan) -> Iterator[Record]:
    """The actions in bytes that are known: what is left to check is their order. Ends before a record that is anything else."""
    head, offset, end, read, kinds = found.head, found.end, found.known, AS_KNOWN, _PLAIN.get
    lsn, last, epoch, before = head.lsn, head.time_us, head.epoch, found.last
    while offset + HEADER_SIZE <= end:
        word, length, found_epoch, found_lsn, utc_offset, now = read(data, offset)
        body = offset + HEADER_SIZE
        stop = body + length
        kind = kinds(word)
        if kind is None or found_lsn != lsn + 1 or now <= last or found_epoch < epoch or stop > end:
            break
        epoch, before, offset, lsn, last = found_epoch, offset, stop, found_lsn, now
        yield lsn, now, utc_offset, kind, data[body:stop]
    if offset > found.end:
        tag = data[before + TAG_AT : before + HEADER_SIZE]
        found.head, found.end, found.last = Head(lsn, last, epoch, tag, tag), offset, before


def _checked(data: bytes, framer: Framer, found: Scan, path: str) -> Iterator[Record]:  # noqa: PLR0915 - one check a branch, in one loop
    """As `records`, one by one with every check; only one record where those behind it are known."""
    unpack, new_hash, crcs, crc32, tagged = AS_READ, framer.hasher.copy, framer.crcs_as_read, framer.crc32, TAGGED_AS_READ
    head, offset, size, problem = found.head, found.end, _limit(data, found), ""
    lsn, last, epoch, tag, action_tag, before = head.lsn, head.time_us, head.epoch, head.tag, head.action_tag, found.last
    while offset + HEADER_SIZE <= size:
        body = offset + HEADER_SIZE
        frame = data[offset:body]
        word, crc, length, found_epoch, found_lsn, _durable, utc_offset, back, now, found_tag = unpack(frame)
        stop = body + length
        if word not in crcs or crc32(frame[8:], crcs[word]) != crc:
            _refuse_unknown(data, offset, framer, path)
            problem = "the header's CRC does not match"
            break
        if stop > size:
            problem = "the file ends inside the record"
            break
        if found_epoch < epoch:
            problem = f"its epoch is {found_epoch} after {epoch}"
            break
        payload, hasher = data[body:stop], new_hash()
        hasher.update(tagged(tag, word, length, found_epoch, found_lsn, utc_offset, back, now))
        hasher.update(payload)
        if hasher.digest() != found_tag:
            problem = "its tag does not match"
            break
        kind = _PLAIN.get(word)
        if kind is None:
            kind, payload = frame[2], original(frame[3], payload)
            if kind > Kind.PICKLE:
                problem = _control(found, kind, found_lsn, lsn, payload)
                if problem:
                    break
                epoch, tag, before, offset = found_epoch, found_tag, offset, stop
                continue
        if found_lsn != lsn + 1:
            problem = f"it has LSN {found_lsn}, expected {lsn + 1}"
            break
        if now <= last:
            problem = "its time is not after the time before"
            break
        epoch, tag, before, offset, lsn, last, action_tag = found_epoch, found_tag, offset, stop, found_lsn, now, found_tag
        yield lsn, now, utc_offset, kind, payload
    found.head, found.end, found.last = Head(lsn, last, epoch, tag, action_tag), offset, before
    found.problem = problem or ("the file ends inside the record's header" if offset < size else "")


def _limit(data: bytes, found: Scan) -> int:
    """How far to check one by one: everything, or one record where those behind it are known."""
    if found.end + HEADER_SIZE > found.known:
        return len(data)
    length: int = _HOP(data, found.end)[1]
    return min(found.end + HEADER_SIZE + length, len(data))


def known_by(frame: Frame) -> int:
    """Up to which LSN outcomes were known when this frame was written; 0 where it cannot say."""
    return 0 if frame.executed_back == _SATURATED else frame.lsn - frame.executed_back


def is_sealed(data: bytes) -> bool:
    """Whether a segment behind which another stands ends with a SEAL, by the looks of its last bytes."""
    ends = (len(data) - HEADER_SIZE - length for length in range(1, 10))
    return any(at >= 0 and _HOP(data, at) == (_SEAL, len(data) - at - HEADER_SIZE) for at in ends)


def is_silent(data: bytes, start: int) -> bool:
    """Whether no control record from `start` on can say anything of an action: there are no bytes that such a record begins with."""
    return _SPOKEN.search(data, start) is None


def last_frame(data: bytes, framer: Framer) -> int:
    """Where the frame begins that ends where the data does, as far as headers say; -1 where there is none in it."""
    size = stop = len(data)
    while (at := data.rfind(MAGIC, 0, stop)) >= 0:
        if at + HEADER_SIZE <= size and at + HEADER_SIZE + _HOP(data, at)[1] == size and framer.header(data, at) is not None:
            return at
        stop = at + 1
    return -1


def foretell(data: bytes, start: int, framer: Framer) -> tuple[Outcomes, int]:
    """What the control records from `start` on say, and the last LSN, before anything is checked: a SKIP comes after its action.

    Whoever acts on it checks the frames as well, and compares.
    """
    hop, said, offset, last, size = _HOP, Outcomes(), start, -1, len(data)
    while offset + HEADER_SIZE <= size:
        word, length = hop(data, offset)
        stop = offset + HEADER_SIZE + length
        if word not in _CALLS and not _foretold(said, data, offset, framer):
            break
        if stop <= size:
            last = offset
        offset = stop
    frame = framer.header(data, last) if last >= 0 else None
    if frame is None:
        return said, 0
    said.known = known_by(frame)
    return said, frame.lsn


def _foretold(said: Outcomes, data: bytes, offset: int, framer: Framer) -> bool:
    """Note what a control record says. False for what is none."""
    frame = framer.header(data, offset)
    if frame is None:
        return False
    body = offset + HEADER_SIZE
    try:
        _note(said, frame.kind, original(frame.flags, data[body : body + frame.length]))
    except NOT_ITS_CONTENT:
        return False
    return True


def _note(said: Outcomes, kind: int, payload: bytes) -> None:
    table = {Kind.RAISED: said.raised, Kind.SKIP: said.skipped, Kind.CHECKPOINT: said.digests}.get(kind)
    if table is not None:
        subject, text = msgspec.msgpack.decode(payload, type=tuple[int, str])
        table[subject] = text
    elif kind == Kind.TAKEN:
        said.taken.append(msgspec.msgpack.decode(payload, type=Taken))


def _control(found: Scan, kind: int, lsn: int, expected: int, payload: bytes) -> str:
    """Take note of a control record. Gives what is wrong with it, if anything is."""
    if lsn != expected:
        return f"a control record has LSN {lsn}, expected {expected}"
    if found.sealed:
        return "it follows the record that seals the segment"
    try:
        _note(found.said, kind, payload)
        if kind == Kind.SEAL and lsn > found.before:  # before the first action it seals what is before: see copied.py
            found.sealed = msgspec.msgpack.decode(payload, type=int)
    except NOT_ITS_CONTENT as error:
        return f"a control record cannot be read: {error}"
    return ""


def _refuse_unknown(data: bytes, offset: int, framer: Framer, path: str) -> None:
    """A valid header of an unknown type or flag is a newer version's, not damage."""
    word, crc = data[offset : offset + 4], int.from_bytes(data[offset + 4 : offset + 8], "little")
    if word[:2] != MAGIC or word in framer.crcs:
        return
    if framer.crc32(data[offset + 8 : offset + HEADER_SIZE], framer.crc32(word, framer.salt)) == crc:
        what = (
            f"{path} holds a record of type {word[2]} (flags {word[3]:#x}) at offset {offset}: a newer coopy wrote it. Open it with that."
        )
        raise FormatError(what, path=path, offset=offset, version=f"record type {word[2]}")
