"""Time inside of an action is the action's own; elsewhere the real one, but never before the last action's."""

from __future__ import annotations

import contextlib
import copy
import datetime
import os
import pickle
import time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from coopy import clock, control, init_system
from coopy.clock import Clock, FixedClock, Moment, moment, offset_minutes
from coopy.error import NotSerializableError
from coopy.wiring.systems import _systems
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HOUR = 3_600_000_000
EPOCH = datetime.datetime(1970, 1, 1)


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Sets the machine's time zone, and puts it back."""

    def change(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    before = os.environ.get("TZ")
    yield change
    if before is None:
        monkeypatch.delenv("TZ", raising=False)
    else:
        monkeypatch.setenv("TZ", before)
    time.tzset()


@contextlib.contextmanager
def inside(time_us: int, utc_offset: int = 0) -> Iterator[None]:
    """As in an action with this stamp."""
    now = Moment(b"")
    now.time_us, now.utc_offset = time_us, utc_offset
    token = moment.set(now)
    try:
        yield
    finally:
        moment.reset(token)


def micros(*parts: int) -> int:
    return (datetime.datetime(*parts) - EPOCH) // datetime.timedelta(microseconds=1)  # type: ignore[arg-type]


class Hands:
    """Turns the wall clock of a running system."""

    def __init__(self, word: Any) -> None:
        self.engine = _systems[type(word)].engine

    def set(self, *parts: int) -> None:
        at = micros(*parts) * 1000
        self.engine.wall = lambda: at


@pytest.mark.parametrize("source", [clock, Clock()], ids=["module", "object"])
def test_every_question_gets_the_same_time_within_an_action(source: Any) -> None:
    """Local by the recorded offset, whatever this machine's zone is."""
    with inside(micros(2020, 2, 29, 23, 30, 1, 7), 90):
        assert source.now() == datetime.datetime(2020, 3, 1, 1, 0, 1, 7)
        assert source.today() == datetime.date(2020, 3, 1)
        assert source.utcnow() == datetime.datetime(2020, 2, 29, 23, 30, 1, 7)
        assert source.now(datetime.UTC) == datetime.datetime(2020, 2, 29, 23, 30, 1, 7, tzinfo=datetime.UTC)
        assert source.now(ZoneInfo("Asia/Tokyo")).isoformat() == "2020-03-01T08:30:01.000007+09:00"
        assert source.time_ns() == micros(2020, 2, 29, 23, 30, 1, 7) * 1000
        assert source.time() == source.monotonic() == source.time_ns() / 10**9


@pytest.mark.parametrize("year", [1970, 1999, 2038, 2106, 9999])
def test_any_year_can_be_told(year: int) -> None:
    """To the microsecond, from 1970 to the last there is."""
    at = datetime.datetime(year, 6, 30, 12, 0, 0, 999_999)
    with inside(micros(year, 6, 30, 12, 0, 0, 999_999)):
        assert clock.now() == clock.utcnow() == at
        assert clock.now(datetime.UTC).replace(tzinfo=None) == at


def test_outside_of_actions_time_is_real_but_never_before_the_last_action() -> None:
    """A clock that stepped back shows the last action's time until it has caught up."""
    last = Moment(b"")
    before = time.time_ns() // 1000 * 1000
    assert before <= Clock(last).time_ns() <= time.time_ns()
    last.time_us = before // 1000 + HOUR
    assert Clock(last).time_ns() == before + HOUR * 1000
    assert before <= clock.time_ns() <= time.time_ns()
    assert clock.monotonic() <= time.monotonic()


def test_the_offset_is_the_zones_at_that_time(zone: Callable[[str], None]) -> None:
    """Summer and winter, quarters of an hour; none where the system's tables end."""
    zone("Europe/Berlin")
    assert [offset_minutes(micros(2021, 3, 28, 0, 59)), offset_minutes(micros(2021, 3, 28, 1, 0))] == [60, 120]
    assert [offset_minutes(micros(2021, 10, 31, 0, 59)), offset_minutes(micros(2021, 10, 31, 1, 0))] == [120, 60]
    zone("Asia/Kathmandu")
    assert offset_minutes(micros(2021, 1, 1)) == 345
    zone("America/St_Johns")
    assert offset_minutes(micros(1970, 1, 1)) == -210
    assert offset_minutes(10**30) == 0


def test_time_grows_from_action_to_action_whatever_the_wall_clock_does(tmp_path: Path) -> None:
    """It stands still, steps back to 1970, and jumps to the year 9999; a restart continues, and replay tells the same."""
    with control(init_system(Word(), tmp_path / "w")) as word:
        hands = Hands(word)
        for parts in [(2020, 1, 1), (2020, 1, 1), (1970, 1, 1), (2019, 1, 1), (2021, 1, 1), (9999, 1, 1), (2021, 1, 2)]:
            hands.set(*parts)
            word.stamp()
        told = [one[1] for one in word.kept]
        assert told == sorted(set(told))
        assert told[4] == datetime.datetime(2021, 1, 1)
        assert told[6] == datetime.datetime(9999, 1, 1, 0, 0, 0, 1)
        seen = list(word.kept)
    with control(init_system(Word, tmp_path / "w")) as word:
        assert word.kept == seen
        assert word.stamp()[1] == datetime.datetime(9999, 1, 1, 0, 0, 0, 2)


def test_local_time_is_replayed_as_it_was_lived(tmp_path: Path, zone: Callable[[str], None]) -> None:
    """Over the change to winter time, where the local clock shows an hour twice, and on a machine of another zone."""
    zone("Europe/Berlin")
    with control(init_system(Word(), tmp_path / "w")) as word:
        hands = Hands(word)
        for parts in [(2021, 10, 31, 0, 30), (2021, 10, 31, 1, 30), (2021, 3, 28, 0, 30), (2022, 3, 27, 0, 59, 59), (2022, 3, 27, 1, 0)]:
            hands.set(*parts)
            word.stamp()
        local = [one[0].replace(microsecond=0).isoformat(" ")[5:] for one in word.kept]
        assert local == ["10-31 02:30:00", "10-31 02:30:00", "10-31 02:30:00", "03-27 01:59:59", "03-27 03:00:00"]
        zone("America/New_York")
        hands.engine.zone_ends = 0
        hands.set(2022, 7, 1, 12)
        assert word.stamp()[0] == datetime.datetime(2022, 7, 1, 8)
        seen = list(word.kept)
    zone("Asia/Tokyo")
    with control(init_system(Word, tmp_path / "w")) as word:
        assert word.kept == seen


@pytest.mark.parametrize(
    "parts", [(1, 1, 1), (1890, 1, 1, 0, 0, 1), (1970, 1, 1), (2021, 3, 28, 2, 30), (2021, 10, 31, 2, 30), (9999, 12, 31, 23, 59, 59, 999_999)]
)  # fmt: skip
def test_a_fixed_clock_gives_back_what_it_was_given(parts: tuple[int, ...], zone: Callable[[str], None]) -> None:
    """Also an hour that the local clock skips, and the ends of the calendar."""
    for name in ("Europe/Berlin", "America/New_York"):
        zone(name)
        fixed = datetime.datetime(*parts)  # type: ignore[arg-type]
        assert (FixedClock(fixed).now(), FixedClock(fixed).today()) == (fixed, fixed.date())
        assert FixedClock(fixed.date()).now() == fixed.replace(hour=0, minute=0, second=0, microsecond=0)


def test_a_fixed_clock_stands_still(zone: Callable[[str], None]) -> None:
    """Everywhere, also in an action; its zone is the machine's, or the one it was given."""
    zone("Europe/Berlin")
    fixed = FixedClock(datetime.datetime(2021, 7, 1, 12))
    with inside(5):
        assert fixed.utcnow() == datetime.datetime(2021, 7, 1, 10)
    assert fixed.time() == fixed.monotonic() == fixed.time_ns() / 10**9 == micros(2021, 7, 1, 10) / 10**6
    aware = FixedClock(datetime.datetime(2021, 7, 1, 12, tzinfo=ZoneInfo("Asia/Tokyo")))
    assert (aware.now(), aware.utcnow()) == (datetime.datetime(2021, 7, 1, 5), datetime.datetime(2021, 7, 1, 3))
    assert aware.now(ZoneInfo("Asia/Tokyo")).hour == 12


def test_a_clock_is_pickled_by_its_class_alone() -> None:
    """What it knows of a system's last action stays behind; a copy of it is itself."""
    one = Clock(Moment(b""))
    assert pickle.dumps(one) == pickle.dumps(Clock())
    assert copy.copy(one) is copy.deepcopy(one) is one


def test_a_clock_of_a_test_is_no_part_of_a_state() -> None:
    """It cannot be pickled."""
    with pytest.raises(NotSerializableError, match="Keep times, not clocks"):
        pickle.dumps(FixedClock(datetime.date(2020, 1, 1)))


def test_outside_of_actions_the_module_is_never_before_the_last_action_of_a_system_that_is_open(tmp_path: Path) -> None:
    """Also after the machine's clock stepped back; a system that was closed does not count."""
    word = init_system(Word(), tmp_path / "w")
    Hands(word).set(2199, 1, 1)
    word.add("a")
    assert clock.utcnow() == datetime.datetime(2199, 1, 1)
    control(word).close()
    assert clock.utcnow().year < 2199
