"""The journal alone, on a disk that forgets: random work, a power cut, a kill or a failure at every I/O call, then read back.

What was synced is there, what is there was written, in order, and no state that a crash may leave is called damage.
"""

from __future__ import annotations

import errno
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
import pytest

from coopy.disk import write_whole
from coopy.disk.fake import FakeDisk, PowerCut
from coopy.error import CoopyError, DiskFullError
from coopy.header import Identity
from coopy.journal.frame import Framer, Kind, genesis_tag, salt_of, stored
from coopy.journal.high_water import HighWater
from coopy.journal.journal import Journal, create_segment
from coopy.journal.repair import judge_end
from coopy.journal.segment import Head, Scan, SegmentHeader, parse_segment_name, read_header, records, segment_name

if TYPE_CHECKING:
    from collections.abc import Iterable

SYSTEM, KEY = b"a system's id 16", b""
IDENTITY = Identity(SYSTEM, bytes(32), "tests:Word")
FRAMER = Framer(salt_of(SYSTEM), KEY)
STEPS = 14
FAILURES: list[int | str] = [errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EINTR, "short", "interrupt"]


class Witness:
    """What the writer knows: by LSN what it may have written, what it knows to be durable, which outcomes it noted."""

    def __init__(self) -> None:
        self.possible: dict[int, set[bytes]] = {}
        self.synced: dict[int, bytes] = {}
        self.current: dict[int, bytes] = {}
        self.raised: set[int] = set()
        self.closed = False

    def wrote(self, lsn: int, payload: bytes) -> None:
        self.possible.setdefault(lsn, set()).add(payload)
        self.current[lsn] = payload

    def synced_up_to(self, lsn: int) -> None:
        self.synced.update((one, payload) for one, payload in self.current.items() if one <= lsn)

    def check(self, found: Found, story: str) -> None:
        payloads = dict(found.records)
        assert list(payloads) == list(range(1, len(payloads) + 1)), story
        for lsn, payload in self.synced.items():
            assert payloads.get(lsn) == payload, f"{story}: LSN {lsn} was synced and is lost or changed"
        for lsn, payload in payloads.items():
            assert payload in self.possible.get(lsn, ()), f"{story}: LSN {lsn} is invented"
        assert set(found.raised) <= self.raised, story
        assert not self.closed or found.closed, story

    def follow(self, found: Found) -> None:
        """What was found is what goes on."""
        self.current = dict(found.records)
        self.possible = {lsn: {payload} for lsn, payload in found.records}
        self.synced, self.raised, self.closed = dict(found.records), set(found.raised), False


@dataclass
class Draft:
    """As coopy.journal.journal.Draft."""

    word: bytes
    payload: bytes
    time_us: int
    utc_offset: int


class Found(msgspec.Struct):
    """A journal as read back."""

    records: list[tuple[int, bytes]]
    raised: dict[int, str]
    closed: bool
    head: Head
    first_lsn: int
    content: bytes


# --- writing ---------------------------------------------------------------------------------------------------------


def create(disk: FakeDisk) -> None:
    disk.make_directories("/d")
    write_whole(disk, "/d", "HWM", b"")
    tag = genesis_tag(SYSTEM, KEY)
    create_segment(disk, "/d", SegmentHeader(IDENTITY, 1, tag), KEY).close()


def begin(disk: FakeDisk, found: Found, dice: random.Random) -> Journal:
    """As opening does: the checked part is written anew, so that it is on stable storage; a new epoch."""
    name = segment_name(found.first_lsn)
    write_whole(disk, "/d", name, found.content)
    mark = HighWater(disk.open("/d/HWM"), SYSTEM, KEY)
    journal = Journal(disk, "/d", IDENTITY, FRAMER, disk.open(f"/d/{name}"), found.head, mark)
    journal.epoch, journal.first_lsn = found.head.epoch + 1, found.first_lsn
    journal.segment_bytes = journal.limit = dice.choice((2048, 8192, 1 << 16))
    journal.mapped = dice.random() < 0.5
    journal.note(Kind.EPOCH, journal.epoch)
    journal.flush()
    journal.sync()
    mark.write(journal.lsn, journal.action_tag, sync=True)
    return journal


def letters(dice: random.Random) -> bytes:
    """A payload: short, of some sectors, or with zeros in it."""
    size = dice.choice((0, 1, 20, 20, 455, 456, 600, 1500))
    return dice.choice((dice.randbytes(size), b"\0" * size, b"a" * size))


class Writer:
    """Works at random on a journal and tells the witness. An interrupted step is taken up as the engine would."""

    def __init__(self, journal: Journal, witness: Witness, dice: random.Random) -> None:
        self.journal, self.witness, self.dice = journal, witness, dice

    def work(self, steps: int) -> None:
        steps_of = (self.append, self.append, self.batch, self.batch, self.sync, self.raised, self.journal.flush, self.beside, self.rotate)
        for _ in range(steps):
            self.guarded(self.rotate if self.journal.end >= self.journal.limit else self.dice.choice(steps_of))
        if self.dice.random() < 0.5:
            sealed = self.journal.limit == 0  # a refused rotation; the segment may end in SEAL instead
            self.journal.close()
            self.witness.synced_up_to(self.journal.lsn)
            self.witness.closed = not sealed

    def guarded(self, step: object) -> None:
        try:
            step()  # type: ignore[operator]
        except DiskFullError:
            self.refused()
        except KeyboardInterrupt:
            if step == self.rotate:  # the engine lets none in there
                raise PowerCut from None
        if self.journal.batch is not None:
            self.commit()

    def refused(self) -> None:
        """A refused call left nothing behind."""
        self.journal.take_back()
        for lsn in [lsn for lsn in self.witness.possible if lsn > self.journal.lsn]:
            self.witness.possible.pop(lsn)
            self.witness.current.pop(lsn, None)

    def append(self) -> None:
        payload = letters(self.dice)
        word, kept = stored(Kind.MSGPACK, payload)
        self.witness.wrote(self.journal.lsn + 1, payload)
        self.journal.append(word, kept, self.journal.time_us + 1, 60)
        self.journal.known = self.journal.lsn

    def batch(self) -> None:
        drafts = []
        for number in range(1, self.dice.randint(1, 4) + 1):
            payload = letters(self.dice)
            self.witness.wrote(self.journal.lsn + number, payload)
            drafts.append(Draft(*stored(Kind.PICKLE, payload), self.journal.time_us + number, -60))
        self.journal.draft(drafts)
        self.commit()

    def commit(self) -> None:
        try:
            self.journal.commit()
        except DiskFullError:
            self.refused()
        self.journal.known = self.journal.lsn
        self.witness.synced_up_to(self.journal.durable)

    def sync(self) -> None:
        self.journal.sync()
        self.witness.synced_up_to(self.journal.durable)

    def beside(self) -> None:
        lsn, tag = self.journal.lsn, self.journal.action_tag
        if self.journal.sync_beside(self.journal.file):
            self.journal.durable = max(self.journal.durable, lsn)
            self.witness.synced_up_to(lsn)
            self.journal.high_water.write(lsn, tag, sync=False)

    def raised(self) -> None:
        if self.journal.lsn and self.journal.lsn >= self.journal.first_lsn:
            self.witness.raised.add(self.journal.lsn)
            self.journal.note(Kind.RAISED, (self.journal.lsn, "builtins.ValueError"))

    def rotate(self) -> None:
        if self.journal.lsn >= self.journal.first_lsn or self.journal.limit == 0:  # an empty segment is never followed by another
            self.journal.rotate(lambda *_: None)
            self.witness.synced_up_to(self.journal.durable)


# --- reading back ----------------------------------------------------------------------------------------------------


def read_back(disk: FakeDisk) -> Found:
    """Every segment in order, the end judged. Raises CorruptionError where it does not hold."""
    firsts: Iterable[int] = sorted(lsn for lsn in map(parse_segment_name, disk.entries("/d")) if lsn)
    found = Found([], {}, False, Head(0, 0, 0, genesis_tag(SYSTEM, KEY), b""), 0, b"")
    mark, sealed = HighWater(disk.open_read("/d/HWM"), SYSTEM, KEY).mark, 1
    for first in firsts:
        if sealed != first:
            break  # created, but the segment before it was not sealed yet: the directory's rooms put it aside
        path = f"/d/{segment_name(first)}"
        data = disk.read(path)
        about, start = read_header(data, KEY, path, IDENTITY)
        assert (about.first_lsn, about.previous_tag) == (found.head.lsn + 1, found.head.tag)
        seen = Scan(found.head, start)
        found.records += [(lsn, payload) for lsn, _, _, _, payload in records(data, FRAMER, seen, path)]
        found.raised.update(seen.said.raised)
        found.head, found.first_lsn, found.content, found.closed, sealed = seen.head, first, data[: seen.end], seen.closed, seen.sealed
        if not sealed:
            judge_end(data, seen, FRAMER, mark.lsn, path)
    assert not sealed or found.head.lsn == 0, "the segment after a sealed one is missing"
    return found


def put_aside(disk: FakeDisk, found: Found) -> None:
    for lsn in filter(None, map(parse_segment_name, disk.entries("/d"))):
        if lsn > found.first_lsn:
            disk.unlink(f"/d/{segment_name(lsn)}")
    disk.sync_directory("/d")


# --- campaigns -------------------------------------------------------------------------------------------------------


def fresh(seed: int) -> FakeDisk:
    disk = FakeDisk(seed)
    create(disk)
    return disk.kill()  # with no calls yet


def work(disk: FakeDisk, witness: Witness, seed: int) -> None:
    """Open and work, until it ends or the disk does."""
    dice = random.Random(seed)
    try:
        found = read_back(disk)
        put_aside(disk, found)
        Writer(begin(disk, found, dice), witness, dice).work(STEPS)
    except (PowerCut, KeyboardInterrupt, CoopyError, OSError):
        pass


def crash_everywhere(seed: int, subsets: int) -> int:
    """One piece of work, the power cut at each call that changes something; then again on what is left. Gives how many states were read."""
    whole, states = fresh(seed), 0
    work(whole, Witness(), seed)
    for nth in whole.changes():
        disk, witness = fresh(seed), Witness()
        disk.crash_at(nth)
        work(disk, witness, seed)
        torn, story = disk, ""
        for subset in range(subsets):
            states += 1
            story = f"seed {seed}, cut at call {nth}, subset {subset}"
            torn = disk.crash(random.Random(seed * 1_000_003 + nth * 101 + subset)) if subset else disk.kill()
            witness.check(read_back(torn), story)
        states += go_on(torn, witness, seed + nth, f"{story}, second crash")
    return states


def go_on(disk: FakeDisk, before: Witness, seed: int, story: str) -> int:
    """A second life on what the first left, cut off at a random call."""
    witness, dice = Witness(), random.Random(seed)
    witness.follow(read_back(disk))
    disk.crash_at(dice.randint(1, 60))
    work(disk, witness, seed)
    witness.check(read_back(disk.crash(dice)), story)
    return 1


def fail_everywhere(seed: int, how: int | str) -> int:
    """One piece of work, each of its calls failing once; read back after a power cut and after a kill."""
    whole = fresh(seed)
    work(whole, Witness(), seed)
    for nth in range(1, len(whole.calls) + 1):
        disk, witness = fresh(seed), Witness()
        disk.fail(nth, how)
        work(disk, witness, seed)
        for subset in range(3):
            story = f"seed {seed}, call {nth} failed with {how}, subset {subset}"
            witness.check(read_back(disk.crash(random.Random(seed + nth * 7 + subset)) if subset else disk.kill()), story)
    return 3 * len(whole.calls)


@pytest.mark.parametrize("seed", range(12))
def test_a_crash_anywhere_keeps_what_was_synced(seed: int) -> None:
    """After a cut at each call: a beginning of what was written, at least what was synced; and so again after a second life."""
    assert crash_everywhere(seed, subsets=4) > 20


@pytest.mark.parametrize("how", FAILURES)
@pytest.mark.parametrize("seed", range(3))
def test_a_failure_anywhere_keeps_what_was_synced(seed: int, how: int | str) -> None:
    """Each call of a piece of work fails once: refused, stopped or repeated, but never lost or invented."""
    assert fail_everywhere(seed, how) > 20


@pytest.mark.parametrize("seed", range(6))
def test_a_full_disk_refuses_and_keeps_what_was_synced(seed: int) -> None:
    """With room for some records only, refused ones leave no trace."""
    for capacity in range(1500, 12_000, 500):
        disk, witness = fresh(seed), Witness()
        disk.capacity = capacity
        work(disk, witness, seed)
        for subset in range(3):
            torn = disk.crash(random.Random(subset))
            witness.check(read_back(torn), f"seed {seed}, capacity {capacity}, subset {subset}")
