"""What is read from a journal beside its writer is what stands in its files, and what is copied is the same but for what it says of a disk."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopy import control, init_system
from coopy.disk.fake import FakeDisk
from coopy.engine.archive import Archive
from coopy.error import ReplicaError
from coopy.header import Identity
from coopy.journal.copied import CopiedJournal, checked, eras_in, whole
from coopy.journal.frame import HEADER_SIZE, Framer, Kind, genesis_tag, salt_of, stored
from coopy.journal.high_water import HighWater
from coopy.journal.journal import Journal, create_segment
from coopy.journal.segment import Head, Scan, SegmentHeader
from coopy.journal.tail import Source, Tail
from coopy.manifest import Listed, Manifest
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from coopy.journal.segment import Record

SYSTEM = b"a system's id 16"
IDENTITY = Identity(SYSTEM, bytes(32), "tests.words:Word")
FRAMER = Framer(salt_of(SYSTEM), b"")
GENESIS = genesis_tag(SYSTEM, b"")


@dataclass
class Place:
    """A journal alone in a directory of a disk in memory."""

    kind: type[Journal]
    disk: FakeDisk = field(default_factory=FakeDisk)
    listed: list[Listed] = field(default_factory=lambda: [Listed(1, GENESIS)])

    def __post_init__(self) -> None:
        self.disk.make_directories("/d")
        file = create_segment(self.disk, "/d", SegmentHeader(IDENTITY, 1, GENESIS), b"")
        mark = HighWater(self.disk.create("/d/HWM"), SYSTEM, b"")
        self.journal = self.kind(self.disk, "/d", IDENTITY, FRAMER, file, Head(0, 0, 1, GENESIS, GENESIS), mark)

    def enlist(self, first_lsn: int, tag: bytes) -> None:
        self.listed.append(Listed(first_lsn, tag))

    def tail(self) -> Tail:
        return Tail(Source(self.disk, "/d", b"", lambda: tuple(self.listed), lambda: self.journal.durable), IDENTITY)


def written(dice: random.Random, steps: int) -> tuple[Place, list[tuple[int, bytes]]]:
    """A journal that some random work has written, and after each record its LSN and tag."""
    place = Place(Journal)
    journal, tags = place.journal, [(0, GENESIS)]
    for step in range(steps):
        what = dice.randrange(10)
        if what == 0 and journal.lsn >= journal.first_lsn:
            journal.rotate(place.enlist)
        elif what == 1 and journal.lsn:
            journal.note(Kind.RAISED, (journal.lsn, "builtins.ValueError"))
            journal.flush()
        elif what == 2:
            journal.sync()
        elif what == 3:
            journal.epoch += 1
            journal.note(Kind.EPOCH, journal.epoch)
            journal.flush()
        else:
            journal.append(*stored(Kind.MSGPACK, dice.randbytes(dice.choice((1, 60, 3000)))), step + 1, 0)
        tags.append((journal.lsn, journal.tag))
    return place, tags


def shipped(place: Place, tail: Tail, most: int) -> bytes:
    return b"".join(iter(lambda: tail.read(most), b""))


def content(place: Place) -> bytes:
    """All frames of all segments."""
    data = b""
    for one in place.listed:
        file = place.disk.read(f"/d/journal-{one.first_lsn:020d}.log")
        data += file[512 : 512 + len(file[512:].rstrip(b"\0")) + 64] if one is place.listed[-1] else file[512:]
    return data


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 32), st.integers(1, 60), st.sampled_from([57, 300, 4096, 1 << 18]))
def test_what_is_durable_is_read_as_it_stands_and_nothing_else(seed: int, steps: int, most: int) -> None:
    """From any record on, in pieces of any size; what is only written waits."""
    dice = random.Random(seed)
    place, tags = written(dice, steps)
    tail = place.tail()
    assert tail.find(0, GENESIS)
    data = shipped(place, tail, most)
    assert content(place).startswith(data)
    assert tail.lsn == place.journal.durable
    place.journal.append(*stored(Kind.MSGPACK, b"not synced"), 1000, 0)
    assert shipped(place, tail, most) == b""
    place.journal.sync()
    assert content(place).startswith(data + shipped(place, tail, most))
    tail.close()
    lsn, tag = dice.choice(tags)
    again = place.tail()
    assert again.find(lsn, tag)
    rest = shipped(place, again, most)
    assert content(place)[: place_of(place, tag)] + rest == content(place)[: place_of(place, tag) + len(rest)]
    again.close()
    assert not again.find(lsn, b"another tag of 16")


def place_of(place: Place, tag: bytes) -> int:
    """Where in all frames the record with this tag ends."""
    data, offset = content(place), 0
    while tag != GENESIS:
        end = offset + HEADER_SIZE + int.from_bytes(data[offset + 8 : offset + 12], "little")
        if data[offset + 40 : offset + 56] == tag:
            return end
        offset = end
    return 0


class Watched(CopiedJournal):
    """It remembers what was on stable storage here before each action was copied."""

    def copy(self, data: bytes, after: Head) -> None:
        self.before = getattr(self, "before", {}) | dict.fromkeys(range(self.lsn + 1, after.lsn + 1), self.durable)
        super().copy(data, after)


def take(journal: CopiedJournal, data: bytearray, place: Place) -> list[Record]:
    """As the engine does, without executing."""
    actions: list[Record] = []
    while True:
        stop, is_seal = whole(data, FRAMER)
        if not stop:
            return actions
        part = bytes(data[:stop])
        found = Scan(journal.head(), 0)
        actions += checked(part, FRAMER, found, "there")
        assert not found.problem
        if is_seal and part[2] == Kind.SEAL:
            journal.copy_seal(part, found.head, place.enlist)
        else:
            journal.copy(part, found.head)
        del data[:stop]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 32), st.integers(1, 60))
def test_a_copy_is_the_same_chain_wherever_the_bytes_are_cut(seed: int, steps: int) -> None:
    """And breaks of its own lie between; what it says to be durable is true of its own disk."""
    dice = random.Random(seed)
    place, _ = written(dice, steps)
    place.journal.sync()
    tail = place.tail()
    tail.find(0, GENESIS)
    data = shipped(place, tail, 4096)
    tail.close()
    copy = Place(Watched)
    journal = copy.journal
    assert isinstance(journal, Watched)
    journal.silent = True
    waiting, offset = bytearray(), 0
    while offset < len(data):
        step = dice.choice((1, 40, 700, 5000))
        waiting += data[offset : offset + step]
        offset += step
        take(journal, waiting, copy)
        assert journal.durable == journal.lsn
        if dice.random() < 0.2 and journal.lsn >= journal.first_lsn:
            journal.rotate(copy.enlist)
    assert not waiting
    assert journal.lsn == place.journal.durable
    ours = content(copy)[: len(data)]
    assert without_place(ours) == without_place(data)
    assert all(claim <= journal.before.get(lsn, lsn) for lsn, claim in claims(ours))
    journal.close()
    archive = Archive(copy.disk, "/d", b"", _manifest(copy))
    head = Head(0, 0, 0, GENESIS, b"")
    for one in copy.listed:
        found = archive.scan(archive.segment(one), head)
        assert not found.problem
        head = found.head
    assert (head.lsn, head.tag) == (journal.lsn, journal.tag)


def _manifest(place: Place) -> Manifest:
    return Manifest(IDENTITY, 1, tuple(place.listed), (0,))


def claims(frames: bytes) -> Iterator[tuple[int, int]]:
    """By frame its LSN, and what it says to be on stable storage; of actions only."""
    offset = 0
    while offset < len(frames):
        frame = FRAMER.header(frames, offset)
        assert frame is not None
        if frame.kind in Kind.CALLS:
            yield frame.lsn, frame.lsn - frame.durable_back
        offset += HEADER_SIZE + frame.length


def without_place(frames: bytes) -> list[bytes]:
    """Each frame without its CRC and "durable back"."""
    out, offset = [], 0
    while offset < len(frames):
        end = offset + HEADER_SIZE + int.from_bytes(frames[offset + 8 : offset + 12], "little")
        out.append(frames[offset : offset + 4] + frames[offset + 8 : offset + 24] + frames[offset + 28 : end])
        offset = end
    return out


def test_a_place_behind_which_the_journal_was_pruned_is_named() -> None:
    """The open file is still read to its end."""
    place, _ = written(random.Random(1), 0)
    journal = place.journal
    for number in range(3):
        journal.append(*stored(Kind.MSGPACK, b"x"), number + 1, 0)
        journal.rotate(place.enlist)
    tail = place.tail()
    assert tail.find(0, GENESIS)
    del place.listed[:2]
    assert tail.read()
    with pytest.raises(ReplicaError, match="pruned"):
        tail.read()
    tail.close()


def test_where_epochs_begin_is_known_exactly() -> None:
    """In frames of two epochs, though they came together."""
    place = Place(Journal)
    journal = place.journal
    for time_us in (1, 2):
        journal.append(*stored(Kind.MSGPACK, b"x"), time_us, 0)
    journal.epoch = 7
    journal.note(Kind.EPOCH, 7)
    journal.append(*stored(Kind.MSGPACK, b"x"), 3, 0)
    journal.sync()
    tail = place.tail()
    tail.find(0, GENESIS)
    assert eras_in(tail.read(), 1) == [(2, 7)]
    tail.close()


def test_the_manifest_says_who_follows(tmp_path: Path) -> None:
    """An ordinary directory does not."""
    with control(init_system(Word, tmp_path / "w")) as word:
        assert control(word)._system.archive.manifest.follows is False


def test_a_control_record_waits_for_the_action_whose_sync_covers_it() -> None:
    """It may not be on stable storage yet, and after a crash another one may stand there."""
    place = Place(Journal)
    journal = place.journal
    journal.append(*stored(Kind.MSGPACK, b"x"), 1, 0)
    journal.sync()
    journal.note(Kind.RAISED, (1, "builtins.ValueError"))
    journal.flush()
    tail = place.tail()
    tail.find(0, GENESIS)
    first = tail.read()
    assert [kind_of(first)] == [Kind.MSGPACK]
    assert tail.read() == b""
    journal.append(*stored(Kind.MSGPACK, b"y"), 2, 0)
    journal.sync()
    assert kind_of(tail.read()) == Kind.RAISED
    tail.close()


def kind_of(frames: bytes) -> int:
    return frames[2]


def test_a_seal_behind_a_break_of_the_copys_own_seals_nothing() -> None:
    """The break came first: the segment has no action yet, and goes on behind the SEAL."""
    place, copy = Place(Journal), Place(CopiedJournal)
    copied, journal = copy.journal, place.journal
    assert isinstance(copied, CopiedJournal)
    copied.silent = True
    journal.append(*stored(Kind.MSGPACK, b"x"), 1, 0)
    journal.sync()
    tail = place.tail()
    tail.find(0, GENESIS)
    take(copied, bytearray(tail.read()), copy)
    copied.rotate(copy.enlist)
    journal.rotate(place.enlist)
    journal.note(Kind.RAISED, (1, "builtins.ValueError"))
    journal.append(*stored(Kind.MSGPACK, b"y"), 2, 0)
    journal.sync()
    take(copied, bytearray(shipped(place, tail, 1 << 18)), copy)
    tail.close()
    copied.close()
    assert [one.first_lsn for one in copy.listed] == [1, 2]
    archive = Archive(copy.disk, "/d", b"", _manifest(copy))
    last = archive.segment(copy.listed[1])
    found = archive.scan(last, last.before)
    assert (found.problem, found.sealed, found.head.lsn) == ("", 0, 2)
