"""A restart gives the same state: the main job, through the public door."""

from __future__ import annotations

import logging
import random
import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest

from coopy import control, init_system
from coopy.disk.fake import FakeDisk
from coopy.error import ClosedError, DiskFullError, LockedError, UsageError
from coopy.wiring import Options, open_proxy
from tests.words import Word

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.parametrize("durability", ["sync", "buffered"])


def reopened(directory: Path, durability: Any, **options: Any) -> str:
    """Open, look, close."""
    with control(init_system(Word, directory, durability=durability, **options)) as word:
        return str(word.read())


def test_what_was_called_is_there_after_a_restart(tmp_path: Path, durability: Any) -> None:
    """Given a word of three letters, when it is opened again, then it has three letters."""
    with control(init_system(Word(), tmp_path / "w", durability=durability)) as word:
        assert [word.add(letter) for letter in "abc"] == ["a", "ab", "abc"]
    assert reopened(tmp_path / "w", durability) == "abc"


def test_stored_state_wins_over_the_instance_that_is_passed(tmp_path: Path, durability: Any) -> None:
    """The instance is used only when nothing is stored yet."""
    with control(init_system(Word("a"), tmp_path / "w", durability=durability)) as word:
        word.add("b")
    with control(init_system(Word("z"), tmp_path / "w", durability=durability)) as word:
        assert word.text == "ab"


def test_the_system_runs_on_a_copy(tmp_path: Path, durability: Any) -> None:
    """The instance that was passed stays the caller's."""
    mine = Word("a")
    with control(init_system(mine, tmp_path / "w", durability=durability)) as word:
        word.add("b")
        mine.text = "z"
        assert word.text == "ab"


def test_a_snapshot_and_the_journal_behind_it_make_the_state(tmp_path: Path, durability: Any) -> None:
    """Actions before and after a snapshot, and one that raised, are all there."""
    with control(init_system(Word(), tmp_path / "w", durability=durability)) as word:
        word.add("a")
        with pytest.raises(ValueError, match="b"):
            word.add_and_raise("b")
        assert control(word).take_snapshot() == 2
        word.add("c")
        before = control(word).digest()
    with control(init_system(Word, tmp_path / "w", durability=durability)) as word:
        assert word.text == "abc"
        assert control(word).digest() == before


def test_a_snapshot_behind_which_openings_left_their_marks(tmp_path: Path, durability: Any) -> None:
    """Given a snapshot that was lost, when it is taken again behind openings without an action, then the directory opens again."""
    with control(init_system(Word(), tmp_path / "w", durability=durability)) as word:
        word.add("a")
        control(word).take_snapshot()
    for _ in range(2):
        assert reopened(tmp_path / "w", durability) == "a"
    snapshot = tmp_path / "w" / "snapshot-00000000000000000001.snap"
    snapshot.write_bytes(snapshot.read_bytes()[:-1])
    with control(init_system(Word, tmp_path / "w", durability=durability)) as word:
        assert control(word).take_snapshot() == 1
        word.add("b")
    assert reopened(tmp_path / "w", durability) == "ab"


def test_an_aborted_call_leaves_no_trace(tmp_path: Path, durability: Any) -> None:
    """Memory after it equals memory before it, also after a restart."""
    with control(init_system(Word("a"), tmp_path / "w", durability=durability)) as word:
        with pytest.raises(ValueError, match="x"):
            word.add_or_abort("x", fail=True)
        assert word.text == "a"
        word.add_or_abort("b", fail=False)
        assert control(word).stats().rebuilds.count == 1
    assert reopened(tmp_path / "w", durability) == "ab"


def test_stamps_and_chance_are_the_same_on_replay(tmp_path: Path, durability: Any) -> None:
    """Clock and random give a replay what they gave the call."""
    with control(init_system(Word(), tmp_path / "w", durability=durability)) as word:
        seen = [word.stamp() for _ in range(3)]
        assert len({stamp[0] for stamp in seen}) == 3
    with control(init_system(Word, tmp_path / "w", durability=durability)) as word:
        assert word.kept == seen


def test_segments_rotate_and_prune_drops_what_no_snapshot_needs(tmp_path: Path, durability: Any) -> None:
    """Small segments, many of them; after two snapshots and a prune only the last ones are left."""
    directory = tmp_path / "w"
    with control(init_system(Word(), directory, durability=durability, segment_bytes=4096)) as word:
        for _ in range(200):
            word.add("a")
        assert control(word).stats().segments > 2
        control(word).take_snapshot()
        word.add("b")
        control(word).take_snapshot()
        word.add("c")
        control(word).prune()
        assert control(word).stats().segments == 2
    assert reopened(directory, durability) == "a" * 200 + "bc"


def test_a_closed_system_refuses_and_closing_twice_is_nothing(tmp_path: Path, durability: Any) -> None:
    """close() is idempotent; use after it is ClosedError."""
    word = init_system(Word(), tmp_path / "w", durability=durability)
    control(word).close()
    control(word).close()
    with pytest.raises(ClosedError):
        word.add("a")
    with pytest.raises(ClosedError):
        word.read()


def test_one_directory_one_writer(tmp_path: Path, durability: Any) -> None:
    """A second opener gets an error that names the holder."""
    with control(init_system(Word(), tmp_path / "w", durability=durability)):
        with pytest.raises(LockedError) as caught:
            init_system(Word(), tmp_path / "w", durability=durability)
        assert caught.value.holder


def test_another_class_is_refused_by_name(tmp_path: Path, durability: Any) -> None:
    """The error names both classes."""
    with control(init_system(Word(), tmp_path / "w", durability=durability)):
        pass
    with pytest.raises(UsageError, match="Word"):
        init_system(Other(), tmp_path / "w", durability=durability)


class Other:
    """Not a word."""

    def call(self) -> None:
        """Nothing."""


def test_an_opening_stops_on_ctrl_c_before_the_next_segment(tmp_path: Path, durability: Any) -> None:
    """Nothing is changed and nobody holds the directory; the next opening is as any other."""
    with control(init_system(Word(), tmp_path / "w", durability="buffered", segment_bytes=4096)) as word:
        for number in range(6000):
            word.keep(number)
    seen: list[int] = []
    hit = threading.Event()

    def hear(_number: int, _frame: object) -> None:
        hit.set()
        raise KeyboardInterrupt

    def interrupt(lsn: int, _last: int) -> None:
        seen.append(lsn)
        if len(seen) == 2:
            signal.raise_signal(signal.SIGINT)
            hit.wait(60)

    before = signal.signal(signal.SIGINT, hear)

    with pytest.raises(KeyboardInterrupt):
        init_system(Word, tmp_path / "w", segment_bytes=4096, on_progress=interrupt)
    signal.signal(signal.SIGINT, before)
    assert max(seen) < 6000
    with control(init_system(Word, tmp_path / "w")) as word:
        assert word.kept == list(range(6000))


def test_a_segment_full_of_openings_is_not_written_over(tmp_path: Path, durability: Any) -> None:
    """Each opening leaves records of its own. A segment that holds nothing else goes on beyond its size: the next one would have its name."""
    for _ in range(60):
        control(init_system(Word, tmp_path / "w", segment_bytes=4096, durability=durability)).close()
    for letter in "abc":
        with control(init_system(Word, tmp_path / "w", segment_bytes=4096, durability=durability)) as word:
            word.add(letter)
    with control(init_system(Word, tmp_path / "w")) as word:
        assert word.text == "abc"
        assert control(word).stats().segments > 1


class Touchy(Word):
    """Something in its class is interrupted when it is looked at."""

    armed = False

    class Part:
        """It is touched whenever somebody asks what it is."""

        def __get__(self, _one: object, _kind: type) -> str:
            if Touchy.armed:
                Touchy.armed = False
                raise KeyboardInterrupt
            return ""

    part = Part()


def test_an_interrupt_while_the_proxy_is_made_leaves_nothing_locked(tmp_path: Path, durability: Any) -> None:
    """Nobody could close a system that nobody has: the same process can open it again."""
    opening: dict[str, Any] = {"durability": durability, "validation": "off"}
    with control(init_system(Touchy, tmp_path / "w", **opening)) as word:
        word.add("a")
    Touchy.armed = True
    with pytest.raises(KeyboardInterrupt):
        init_system(Touchy, tmp_path / "w", **opening)
    with control(init_system(Touchy, tmp_path / "w", **opening)) as word:
        assert word.add("b") == "ab"


def test_an_interrupt_at_the_end_of_an_opening_leaves_nothing_locked(tmp_path: Path, durability: Any) -> None:
    """Likewise: here it comes where the opening says what it found."""

    def interrupt(record: logging.LogRecord) -> bool:
        log.removeFilter(interrupt)
        raise KeyboardInterrupt(record)

    log = logging.getLogger("coopy")
    before = log.level
    log.setLevel(logging.INFO)
    log.addFilter(interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            init_system(Word, tmp_path / "w", durability=durability)
    finally:
        log.removeFilter(interrupt)
        log.setLevel(before)
    assert reopened(tmp_path / "w", durability) == ""


def test_an_opening_after_a_crash_says_how_much_room_it_needs(durability: Any) -> None:
    """What is kept of the last segment is written anew, for nobody knows what of it had reached the disk; without room for it nothing is changed."""
    disk = FakeDisk()
    word = open_proxy(Word, "/w", Options(durability=durability), disk)
    word.add("a" * 1_000_000)
    control(word).wait_durable()
    left = disk.crash(random.Random(1))
    left.capacity = sum(map(len, left.contents().values())) + 4_000
    before = left.contents()
    with pytest.raises(DiskFullError, match=r"no room for 1,000,\d+ bytes in /w.*is intact.*Make room") as refused:
        open_proxy(Word, "/w", Options(), left)
    assert 1_000_000 < refused.value.needed < 1_001_000
    assert left.contents() == before
    left.capacity = None
    with control(open_proxy(Word, "/w", Options(), left)) as again:
        assert len(again.text) == 1_000_000
