from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import IsolatedAsyncioTestCase, TestCase, mock

import pytest

from coopy import System, control, init_system, readonly
from coopy.tests.utils import TestSystemMixin


@dataclass
class Event:
    name: str
    when: dt.datetime
    guests: list[str] = field(default_factory=list)


class Calendar:
    def __init__(self) -> None:
        self.events: dict[str, Event] = {}
        self.owner = ""

    def plan(self, name: str, when: dt.datetime) -> Event:
        if name in self.events:
            raise ValueError(name)
        self.events[name] = Event(name, when)
        return self.events[name]

    def invite(self, name: str, guest: str) -> None:
        self.events[name].guests.append(guest)

    @readonly
    def on(self, day: dt.date) -> list[Event]:
        return [e for e in self.events.values() if e.when.date() == day]

    @readonly
    def names(self) -> list[str]:
        return sorted(self.events)


@pytest.fixture
def calendar(tmp_path: Path) -> Iterator[System[Calendar]]:
    system = init_system(Calendar(), str(tmp_path))
    system.plan("x", dt.datetime(2020, 1, 1))
    yield system
    control(system).close()


@pytest.fixture
def reopened(tmp_path: Path) -> Callable[[], System[Calendar]]:
    def make() -> System[Calendar]:
        return init_system(Calendar, str(tmp_path))

    return make


@pytest.fixture(name="plain")
def plain_fixture() -> Calendar:
    calendar = Calendar()
    calendar.owner = "me"
    calendar.events["x"] = Event("x", dt.datetime(2020, 1, 1))
    return calendar


def test_plan(calendar: System[Calendar]) -> None:
    calendar.plan("y", dt.datetime(2020, 1, 1))
    expected = ["x"]
    expected.append("y")
    assert calendar.names() == expected
    names = calendar.names()
    names.remove("x")
    assert names == ["y"]


def test_refuses(calendar: System[Calendar]) -> None:
    with pytest.raises(ValueError) as caught:
        calendar.plan("x", dt.datetime(2020, 1, 1))
    assert caught.value.args == ("x",)
    with pytest.raises(AttributeError):
        calendar.owner = "you"  # E: coopy-set
    with pytest.raises(AttributeError):
        calendar.owner = "you"  # type: ignore[coopy-set]  # P: unused-ignore


def test_restore(reopened: Callable[[], System[Calendar]], monkeypatch: pytest.MonkeyPatch) -> None:
    first = reopened()
    first.plan("z", dt.datetime(2020, 1, 1))
    control(first).close()
    second = reopened()
    assert second.names() == ["z"]
    monkeypatch.setattr(Calendar, "names", lambda self: [])
    monkeypatch.setattr(first, "owner", "x")  # O: coopy-set
    second.owner = "x"  # E: coopy-set


def test_plain(plain: Calendar, calendar: System[Calendar]) -> None:
    plain.owner = "you"
    plain.events["y"] = Event("y", dt.datetime(2020, 1, 1))
    plain.events["y"].guests.append("x")
    plain.on(dt.date(2020, 1, 1))[0].name = "z"
    for one in (plain, Calendar()):
        one.owner = "both"
    for two in (plain, calendar):
        two.owner = "both"  # O: coopy-set


@pytest.mark.parametrize("make", [Calendar, lambda: init_system(Calendar())])
def test_both(make: Callable[[], Calendar]) -> None:
    calendar = make()
    calendar.owner = "x"
    calendar.events.clear()


class CalendarCase(TestCase, TestSystemMixin):
    calendar: Calendar
    system: System[Calendar]
    shared: System[Calendar]

    @classmethod
    def setUpClass(cls) -> None:
        cls.shared = init_system(Calendar())

    def setUp(self) -> None:
        self.calendar = Calendar()
        self.system = init_system(Calendar())
        self.mock_clock(self.system, dt.datetime(2020, 1, 1))
        self.log: list[str] = []
        self.addCleanup(control(self.system).close)

    def test_one(self) -> None:
        self.calendar.owner = "x"
        self.calendar.events = {}
        self.log.append("x")
        self.system.plan("x", dt.datetime(2020, 1, 1))
        self.system.owner = "x"  # E: coopy-set
        self.shared.owner = "x"  # E: coopy-set
        self.system = init_system(Calendar)
        self.assertRaises(KeyError, self.system.invite, "x", "y")
        with self.assertRaises(KeyError):
            self.system.invite("x", "y")
        with self.subTest(x=1), mock.patch("x.y") as patched:
            patched.owner = "x"
            patched.return_value = self.system
            self.system.names()
        self.calendar = init_system(Calendar())
        self.calendar.plan("x", dt.datetime(2020, 1, 1))

    def test_mock(self) -> None:
        fake = mock.create_autospec(Calendar)
        fake.owner = "x"
        fake.events = {}
        spy = mock.Mock(wraps=self.system)
        spy.owner = "x"
        space = SimpleNamespace(calendar=self.system)
        space.calendar.owner = "x"
        space.calendar = None


class AsyncCase(IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        self.system = init_system(Calendar())

    async def test_x(self) -> None:
        self.system.plan("x", dt.datetime(2020, 1, 1))
        events = self.system.on(dt.date(2020, 1, 1))
        events.append(Event("y", dt.datetime(2020, 1, 1)))
        events.sort(key=lambda e: e.name)
        self.assertEqual(len(events), 2)
