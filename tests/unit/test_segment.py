"""A segment with any bit flipped, cut off anywhere, or with frames and sectors moved: refused, or an exact beginning, never silently wrong."""

from __future__ import annotations

import itertools
import random
from typing import Any, NamedTuple

import pytest

from coopy.disk.fake import FakeDisk
from coopy.error import CoopyError, FormatError
from coopy.header import Identity
from coopy.journal.frame import HEADER_SIZE, Framer, Kind, genesis_tag, salt_of, stored, word_of
from coopy.journal.high_water import HighWater
from coopy.journal.journal import Journal, create_segment
from coopy.journal.repair import judge_end
from coopy.journal.segment import Head, Scan, SegmentHeader, parse_segment_name, read_header, records, segment_name

SYSTEM = b"a system's id 16"
IDENTITY = Identity(SYSTEM, bytes(32), "tests:Word")
KEYS = [b"", b"k" * 32]
SHAPES = ["small", "controls", "compressed"]
FLIPS, CUTS = 1, 1  # every bit, every size
CHANCES = 150  # sizes, frames and sectors moved at random


class Sample(NamedTuple):
    """A segment's bytes; by the offset of each frame's end what a scan up to there finds; the last LSN."""

    data: bytes
    begun: dict[int, Any]
    framer: Framer
    key: bytes
    last: int


def sample(shape: str, key: bytes) -> Sample:
    disk, framer = FakeDisk(), Framer(salt_of(SYSTEM), key)
    tag = genesis_tag(SYSTEM, key)
    file = create_segment(disk, "/", SegmentHeader(IDENTITY, 1, tag), key)
    journal = Journal(disk, "/", IDENTITY, framer, file, Head(0, 0, 0, tag, b""), HighWater(disk.create("/HWM"), SYSTEM, key))
    write(journal, [b"a", b"bc", bytes(700) if shape == "compressed" else b""], shape)
    data = disk.read("/" + segment_name(1))
    return Sample(data, beginnings(data, framer, key), framer, key, journal.lsn)


def write(journal: Journal, payloads: list[bytes], shape: str) -> None:
    for payload in payloads:
        journal.append(*stored(Kind.MSGPACK, payload), journal.time_us + 1, 60)
        journal.sync()
        journal.known = journal.lsn
        if shape == "controls":
            journal.note(Kind.RAISED if journal.lsn % 2 else Kind.SKIP, (journal.lsn, "builtins.ValueError"))
    if shape == "controls":
        journal.close()
    else:
        journal.finish()


def beginnings(data: bytes, framer: Framer, key: bytes) -> dict[int, Any]:
    """What there is to find up to each frame's end."""
    _, offset = read_header(data, key, "sample", IDENTITY)
    found = {}
    while True:
        found[offset] = look(data[:offset], framer, key)
        frame = framer.header(data, offset)
        if frame is None:
            return found
        offset += HEADER_SIZE + frame.length


def look(data: bytes, framer: Framer, key: bytes, proven: int = 0) -> Any:
    """As restore does: all that is found, or an error."""
    about, start = read_header(data, key, "sample", IDENTITY)
    if (about.first_lsn, about.previous_tag) != (1, genesis_tag(SYSTEM, key)):
        raise CoopyError("not the listed segment")
    found = Scan(Head(0, 0, 0, about.previous_tag, b""), start)
    actions = list(records(data, framer, found, "sample"))
    judge_end(data, found, framer, proven, "sample")
    return found.end, actions, found.said.raised, found.said.skipped, found.closed, found.sealed, found.head


def holds(kept: Sample, damaged: bytes) -> bool:
    """Whether this damage is refused; where not, what is found must be an exact beginning, and all of it where its end is proven."""
    try:
        found = look(damaged, kept.framer, kept.key)
    except CoopyError:
        return True
    assert found == kept.begun.get(found[0]), "silently wrong"
    try:
        found = look(damaged, kept.framer, kept.key, proven=kept.last)
    except CoopyError:
        return False
    assert found[1] == kept.begun[max(kept.begun)][1], "a proven record is missing"
    return False


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_flipped_bit_is_refused_or_leaves_a_beginning(shape: str, key: bytes) -> None:
    """Each bit of the file, one at a time."""
    kept = sample(shape, key)
    refused = 0
    for bit in range(0, len(kept.data) * 8, FLIPS):
        damaged = bytearray(kept.data)
        damaged[bit // 8] ^= 1 << bit % 8
        refused += holds(kept, bytes(damaged))
    assert refused > 1000


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_file_cut_off_anywhere_is_a_beginning(shape: str, key: bytes) -> None:
    """Behind the header every cut is a torn tail; where the end is proven every cut within a record is refused."""
    kept = sample(shape, key)
    start = min(kept.begun)
    for size in range(0, len(kept.data), CUTS):
        refused = holds(kept, kept.data[:size])
        assert refused == (size < start), size


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("shape", SHAPES)
def test_moved_frames_and_sectors_are_refused_or_leave_a_beginning(shape: str, key: bytes) -> None:
    """Frames swapped, doubled, left out; sectors zeroed; garbage and zeros behind the end."""
    kept, dice = sample(shape, key), random.Random(shape)
    edges = sorted(kept.begun)
    front, frames = kept.data[: edges[0]], [kept.data[one:two] for one, two in itertools.pairwise(edges)]
    for _ in range(CHANCES):
        mixed = dice.choices(frames, k=dice.randint(0, len(frames) + 1))
        holds(kept, front + b"".join(mixed))
        start = dice.randrange(len(kept.data))
        zeroed = kept.data[:start] + bytes(dice.choice((1, 16, 512))) + kept.data[start:][16:]
        holds(kept, zeroed)
        holds(kept, kept.data + dice.randbytes(dice.randrange(1, 200)))
    assert not holds(kept, kept.data + bytes(100_000))


def test_reserved_zeros_are_the_end() -> None:
    """Nothing torn, nothing refused."""
    kept = sample("small", b"")
    assert look(kept.data + bytes(4096), kept.framer, b"", proven=3) == kept.begun[max(kept.begun)]


@pytest.mark.parametrize("kind", [10, 0x7F])
def test_a_record_of_an_unknown_type_is_a_newer_version(kind: int) -> None:
    """It is no damage, and nothing behind it is read; one that says it may be ignored is passed over."""
    kept = sample("small", b"")
    framer, head = kept.framer, kept.begun[max(kept.begun)][-1]
    strange = Framer(framer.salt, b"")
    strange.crcs[word_of(kind, 0)] = framer.crc32(word_of(kind, 0), framer.salt)
    frame, _ = strange.frame(word_of(kind, 0), b"x", head.lsn, 0, 0, 0, 0, head.time_us, head.tag)
    with pytest.raises(FormatError, match=f"type {kind}"):
        look(kept.data + frame, framer, b"")
    passed, _ = framer.frame(word_of(kind | 0x80, 0), b"x", head.lsn, 0, 0, 0, 0, head.time_us, head.tag)
    assert look(kept.data + passed, framer, b"")[1] == kept.begun[max(kept.begun)][1]


def test_only_exact_names_are_segments() -> None:
    """Twenty ASCII digits; no sign, no other digits, nothing behind."""
    assert parse_segment_name(segment_name(17)) == 17
    for name in ("journal-17.log", "journal--0000000000000000017.log", segment_name(1) + "x", segment_name(1).replace("1", "\u0661"), "x"):
        assert parse_segment_name(name) is None
