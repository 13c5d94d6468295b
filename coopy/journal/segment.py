"""One segment: a file `journal-<first LSN, 20 digits>.log` of a header and frames. It knows bytes and order, not what an action means.

    512 bytes or more   header (coopy/header.py): identity, first LSN, the tag before the first frame
    frames              as journal/frame.py draws them, one after the other, none spans two segments
    zeros               space reserved ahead; a zero magic is the end. Given back when the segment is sealed or closed

RAISED and SKIP records of an action are in the segment of the action: a segment is sealed after the outcomes of all its actions.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

import msgspec

from coopy import header
from coopy.error import CorruptionError, FormatError
from coopy.journal.frame import HEADER, HEADER_SIZE, IGNORABLE, MAGIC, TAGGED, Kind, original

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coopy.journal.frame import Framer

__all__ = ["Head", "Scan", "SegmentHeader", "calls", "parse_segment_name", "read_header", "scan", "segment_name"]

_NAME = re.compile(r"journal-([0-9]{20})\.log", re.ASCII)
_WHERE = struct.Struct("<2xBBxxxxI4xQ4xhxxQ").unpack_from
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


class Scan(msgspec.Struct):
    """What the checked part of a segment holds. `problem` is why checking stopped before the end of the data, if it did."""

    head: Head
    end: int
    raised: dict[int, str]
    skipped: dict[int, str]
    known: int
    sealed: int = 0
    closed: bool = False
    problem: str = ""


def segment_name(first_lsn: int) -> str:
    """The file name of the segment that starts with this LSN."""
    return f"journal-{first_lsn:020d}.log"


def parse_segment_name(name: str) -> int | None:
    """The first LSN in a segment's file name; None for any other name."""
    match = _NAME.fullmatch(name)
    return int(match[1]) if match else None


def read_header(data: bytes, key: bytes, path: str, identity: header.Identity | None) -> tuple[SegmentHeader, int]:
    """The header and where the frames begin. Raises CorruptionError if it is damaged or of another system than `identity`."""
    found, start = header.unpack(data, header.SEGMENT, SegmentHeader, key, path)
    if identity is not None and found.identity.system != identity.system:
        what = f"{path} is a segment of another system: move it out of this directory. Nothing was changed."
        raise CorruptionError(what, path=path, offset=0, lsn=found.first_lsn)
    if len(data) < start:  # no crash leaves that: the header was on stable storage before the file had its name
        what = f"{path} is cut off within its header: {len(data)} bytes of {start}. Nothing was changed. Restore it from another copy or a backup."
        raise CorruptionError(what, path=path, offset=len(data), lsn=found.first_lsn)
    return found, start


def scan(data: bytes, start: int, framer: Framer, head: Head, path: str) -> Scan:  # noqa: PLR0912 - one check a branch, in one loop
    """Check header CRC, LSN, time, epoch and tag of every frame from `start` on, and collect the control records.

    `head` is where the journal stands before it. Executes and decodes nothing but control records. Raises FormatError
    at a record of a type that this version does not know.
    """
    unpack, new_hash, crcs, crc32 = HEADER.unpack_from, framer.hasher.copy, framer.crcs, framer.crc32
    lsn, last, epoch, tag, action_tag = head.lsn, head.time_us, head.epoch, head.tag, head.action_tag
    found, offset, size, problem = Scan(head, start, {}, {}, 0), start, len(data), ""
    while offset + HEADER_SIZE <= size:
        word, crc, length, found_epoch, found_lsn, _durable, utc_offset, back, now, found_tag = unpack(data, offset)
        stop = offset + HEADER_SIZE + length
        kind = word[2]
        fields = data[offset + 8 : offset + HEADER_SIZE]
        if word not in crcs or crc32(fields, crcs[word]) != crc:
            _refuse_unknown(data, offset, framer, path)
            problem = "the header's CRC does not match"
        elif stop > size:
            problem = "the file ends inside the record"
        elif found_epoch < epoch:
            problem = f"its epoch is {found_epoch} after {epoch}"
        else:
            hasher = new_hash()
            hasher.update(TAGGED(tag, word, length, found_epoch, found_lsn, utc_offset, back, now))
            hasher.update(data[offset + HEADER_SIZE : stop])
            if hasher.digest() != found_tag:
                problem = "its tag does not match"
        if problem:
            break
        if kind > Kind.PICKLE:
            problem = _control(found, kind, found_lsn, lsn, data[offset:stop])
        elif found_lsn != lsn + 1:
            problem = f"it has LSN {found_lsn}, expected {lsn + 1}"
        elif now <= last:
            problem = "its time is not after the time before"
        else:
            lsn, last, action_tag = found_lsn, now, found_tag
            found.closed = False
        if problem:
            break
        if back != _SATURATED:
            found.known = found_lsn - back
        epoch, tag, offset = found_epoch, found_tag, stop
    found.head, found.end = Head(lsn, last, epoch, tag, action_tag), offset
    found.problem = problem or ("the file ends inside the record's header" if offset < size else "")
    return found


def _control(found: Scan, kind: int, lsn: int, expected: int, frame: bytes) -> str:
    """Take note of a control record. Gives what is wrong with it, if anything is."""
    if lsn != expected:
        return f"a control record has LSN {lsn}, expected {expected}"
    if found.sealed:
        return "it follows the record that seals the segment"
    found.closed = kind == Kind.CLOSE
    payload = original(frame[3], frame[HEADER_SIZE:])
    if kind == Kind.RAISED:
        subject, name = msgspec.msgpack.decode(payload, type=tuple[int, str])
        found.raised[subject] = name
    elif kind == Kind.SKIP:
        subject, reason = msgspec.msgpack.decode(payload, type=tuple[int, str])
        found.skipped[subject] = reason
    elif kind == Kind.SEAL:
        found.sealed = msgspec.msgpack.decode(payload, type=int)
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


def calls(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int, int, bytes]]:
    """The actions between two offsets of a checked segment: (LSN, time in us, UTC offset in minutes, kind, payload) each."""
    offset = start
    while offset < end:
        kind, flags, length, lsn, utc_offset, now = _WHERE(data, offset)
        body = offset + HEADER_SIZE
        offset = body + length
        if kind <= Kind.PICKLE:
            payload = data[body:offset]
            yield lsn, now, utc_offset, kind, (original(flags, payload) if flags else payload)
        elif kind < IGNORABLE and kind not in Kind.NAMES:  # scan() has refused it
            raise AssertionError(kind)
