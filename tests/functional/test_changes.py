"""The history of a system: its actions as values, read beside the calls that go on."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from coopy import Action, control, init_system, once, unlocked
from coopy.disk import RealDisk
from coopy.engine.mend import skip_action
from coopy.engine.opening import Place
from coopy.error import ClosedError, CorruptionError, UsageError
from coopy.wiring import fix_wall
from coopy.wiring.systems import system_of
from tests.functional.test_replication import House, house, level
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["house"]
both = pytest.mark.parametrize("durability", ["sync", "buffered"])


def short(actions: Iterator[Action]) -> list[tuple[Any, ...]]:
    return [(one.lsn, one.method, one.args, one.outcome) for one in actions]


def act(word: Word) -> None:
    """One action of each kind."""
    word.add("a")
    with pytest.raises(ValueError, match="b"):
        word.add_and_raise("b")
    with pytest.raises(ValueError, match="x"):
        word.add_or_abort("x", fail=True)
    with once("key"):
        word.add_many("c", "d", sep="-")
    word.keep({"a": [1, 2.5, None, {3}]})
    with once("other"), pytest.raises(ValueError, match="e"):
        word.add_and_raise("e")
    word.add_unlocked("f")


@both
def test_every_action_is_told_as_it_was_called_and_as_it_ended(tmp_path: Path, durability: Any) -> None:
    """Also the last ones, of which no file says yet how they ended; a restart tells the same."""
    zone = datetime.now().astimezone().tzinfo
    with control(init_system(Word, tmp_path / "w", durability=durability)) as word:
        act(word)
        seen = word.stamp()
        told = list(control(word).changes())
    assert [(one.lsn, one.method, one.args, one.kwargs, one.key, one.outcome, one.error) for one in told] == [
        (1, "add", ("a",), {}, None, "returned", ""),
        (2, "add_and_raise", ("b",), {}, None, "raised", "builtins.ValueError"),
        (3, "add_or_abort", ("x", True), {}, None, "skipped", "builtins.ValueError"),
        (4, "add_many", ("c", "d"), {"sep": "-"}, "key", "returned", ""),
        (5, "keep", ({"a": [1, 2.5, None, {3}]},), {}, None, "returned", ""),
        (6, "add_and_raise", ("e",), {}, "other", "raised", "builtins.ValueError"),
        (7, "add_unlocked", ("f",), {}, None, "returned", ""),
        (8, "stamp", (), {}, None, "returned", ""),
    ]
    assert told[-1].time == seen[0].replace(tzinfo=zone)
    assert told[-1].time.astimezone(UTC).replace(tzinfo=None) == seen[1]
    with control(init_system(Word, tmp_path / "w", durability=durability)) as word:
        assert list(control(word).changes()) == told


def test_setters_and_operators_are_told_by_their_names(tmp_path: Path) -> None:
    with control(init_system(Shelf, tmp_path / "s")) as shelf:
        shelf.label = "x"
        shelf["a"] = 1
        assert short(control(shelf).changes()) == [(1, "label=", ("x",), "returned"), (2, "__setitem__", ("a", 1), "returned")]


class Shelf:
    """A property and an item."""

    def __init__(self) -> None:
        self._label, self.books = "", {"b": 1}

    @property
    def label(self) -> str:
        return self._label

    @label.setter
    def label(self, text: str) -> None:
        self._label = text

    def __setitem__(self, name: str, count: int) -> None:
        self.books[name] = count


def test_the_zone_is_the_one_that_was_recorded(tmp_path: Path) -> None:
    """A time is told with the offset from UTC that was in force where it was recorded."""
    with control(init_system(Word, tmp_path / "w")) as word:
        fix_wall(word, datetime(2030, 1, 1))
        engine = system_of(word).engine
        engine.utc_offset, engine.zone_ends = 330, 1 << 62
        word.add("a")
        told = next(control(word).changes())
        assert told.time.utcoffset() == timedelta(hours=5, minutes=30)
        assert told.time.timestamp() == datetime(2030, 1, 1).timestamp()


@both
def test_what_is_asked_for_begins_behind_an_lsn_in_whatever_segment(tmp_path: Path, durability: Any) -> None:
    """And ends with what had been executed when it was asked for."""
    with control(init_system(Word, tmp_path / "w", durability=durability, segment_bytes=4096)) as word:
        for number in range(200):
            word.keep(number)
            if number == 150:
                control(word).take_snapshot()
        assert control(word).stats().segments >= 4
        every = [(lsn, "keep", (lsn - 1,), "returned") for lsn in range(1, 201)]
        for since in (0, 1, 37, 38, 39, 75, 150, 151, 152, 199, 200):
            assert short(control(word).changes(since)) == every[since:], since


@both
def test_calls_go_on_while_a_history_is_read(tmp_path: Path, durability: Any) -> None:
    """Given a reader in the middle, when others call, then they do not wait and he reads what he asked for."""
    with control(init_system(Word, tmp_path / "w", durability=durability, segment_bytes=4096)) as word:
        for _ in range(50):
            word.add("a")
        reader = control(word).changes()
        got = [next(reader)]
        thread = threading.Thread(target=lambda: [word.add("b") for _ in range(100)])
        thread.start()
        thread.join(60)
        assert not thread.is_alive()
        with pytest.raises(ValueError, match="x"):
            word.add_and_raise("x")
        got += reader
        assert short(iter(got)) == [(lsn, "add", ("a",), "returned") for lsn in range(1, 51)]
        assert [one.outcome for one in control(word).changes(149)] == ["returned", "raised"]


def test_an_action_that_runs_has_no_outcome_yet(tmp_path: Path) -> None:
    """`@unlocked` ones run beside the reader."""
    with control(init_system(Waiting, tmp_path / "w", validation="off")) as waiting:
        thread = threading.Thread(target=waiting.wait)
        thread.start()
        assert Waiting.begun.acquire(timeout=60)
        waiting.count()
        assert [one.outcome for one in control(waiting).changes()] == ["unknown", "unknown"]
        Waiting.end.release()
        thread.join(60)
        waiting.count()
        assert [one.outcome for one in control(waiting).changes()] == ["returned"] * 3


class Waiting:
    """Waits for the test."""

    begun, end = threading.Semaphore(0), threading.Semaphore(0)

    def __init__(self) -> None:
        self.number = 0

    @unlocked
    def wait(self) -> None:
        Waiting.begun.release()
        assert Waiting.end.acquire(timeout=60)

    def count(self) -> None:
        self.number += 1


def test_an_action_that_an_operator_left_out_is_told_so(tmp_path: Path) -> None:
    """Nothing was raised: why is in nobody's journal."""
    with control(init_system(Word, tmp_path / "w")) as word:
        for letter in "abc":
            word.add(letter)
    skip_action(Place(RealDisk(), str(tmp_path / "w"), b"", ""), 2, print)
    with control(init_system(Word, tmp_path / "w")) as word:
        assert word.text == "ac"
        assert [(one.outcome, one.error) for one in control(word).changes()] == [("returned", ""), ("skipped", ""), ("returned", "")]


# --- what is not kept ------------------------------------------------------------------------------------------------


def test_what_was_pruned_is_named(tmp_path: Path) -> None:
    """By the first action that is kept; the reader who asks for that gets it."""
    with control(init_system(Word, tmp_path / "w", keep_snapshots=1)) as word:
        for letter in "abcdef":
            word.add(letter)
            control(word).take_snapshot()
        assert len(control(word).prune()) == 6
        word.add("g")
        for since in (0, 5):
            with pytest.raises(UsageError, match="the actions before LSN 7 are not kept any more") as raised:
                control(word).changes(since)
            assert raised.value.first == 7  # type: ignore[attr-defined]
        assert short(control(word).changes(6)) == [(7, "add", ("g",), "returned")]


def test_what_is_pruned_while_it_is_read_is_named(tmp_path: Path) -> None:
    """The reader has had everything before it, in order."""
    with control(init_system(Word, tmp_path / "w", keep_snapshots=1, segment_bytes=4096)) as word:
        for _ in range(200):
            word.add("a")
        reader = control(word).changes()
        got = [next(reader)]
        control(word).take_snapshot()
        control(word).prune()
        with pytest.raises(UsageError, match="pruned while it was read"):
            got.extend(reader)
        assert [one.lsn for one in got] == list(range(1, len(got) + 1))
        assert len(got) < 200


@pytest.mark.parametrize(("since", "says"), [(-1, "not possible"), (True, "not possible"), ("3", "not possible"), (4, "the last one is 3")])
def test_what_is_no_place_in_the_journal_is_refused_at_once(tmp_path: Path, since: Any, says: str) -> None:
    with control(init_system(Word, tmp_path / "w")) as word:
        for letter in "abc":
            word.add(letter)
        with pytest.raises(UsageError, match=says):
            control(word).changes(since)
        assert list(control(word).changes(3)) == []


def test_a_closed_system_has_no_history(tmp_path: Path) -> None:
    word = init_system(Word, tmp_path / "w")
    control(word).close()
    with pytest.raises(ClosedError):
        control(word).changes()


def test_damage_is_named_where_it_is_and_not_before(tmp_path: Path) -> None:
    """The actions before it are given, what is behind it is not."""
    with control(init_system(Word, tmp_path / "w", segment_bytes=4096)) as word:
        for _ in range(100):
            word.add("a")
        path = tmp_path / "w" / "journal-00000000000000000001.log"
        data = bytearray(path.read_bytes())
        data[2000] ^= 1
        path.write_bytes(data)
        got: list[Action] = []
        with pytest.raises(CorruptionError, match=r"journal-00000000000000000001\.log is damaged at offset") as raised:
            got.extend(control(word).changes())
        assert [one.lsn for one in got] == list(range(1, raised.value.lsn))


# --- on a replica ----------------------------------------------------------------------------------------------------


def test_a_replica_tells_the_same_history(house: House, tmp_path: Path) -> None:
    """Also where it took snapshots of its own between an action and the word of how it ended, and once it was promoted."""
    word = house.primary(tmp_path / "p")
    replica = house.replica(word, tmp_path / "r")
    for _ in range(3):
        with pytest.raises(ValueError, match="r"):
            word.add_and_raise("r")
        level(replica, word)
        control(replica).take_snapshot()
        act(word)
        level(replica, word)
        control(replica).take_snapshot()
    word.add("z")
    level(replica, word)
    told = list(control(word).changes())
    assert {one.outcome for one in told} == {"returned", "raised", "skipped"}
    assert list(control(replica).changes()) == told
    control(word).close()
    control(replica).promote()
    assert list(control(replica).changes()) == told
