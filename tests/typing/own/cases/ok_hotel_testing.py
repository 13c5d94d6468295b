from __future__ import annotations

import datetime as dt
import io
import unittest
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar
from unittest.mock import MagicMock, call, patch

from coopy import Clock, System, clock, control, init_system, readonly
from coopy.tests.utils import TestSystemMixin

F = TypeVar("F", bound=Callable[..., object])


@dataclass
class Guest:
    name: str
    nights: int = 1
    notes: list[str] = field(default_factory=list)


class Hotel:
    def __init__(self, rooms: int = 3) -> None:
        self.guests: dict[int, Guest] = {}
        self.free = list(range(rooms))
        self.opened: dt.datetime | None = None

    def check_in(self, guest: Guest) -> int:
        self.opened = self.opened or clock.now()
        number = self.free.pop()
        self.guests[number] = guest
        return number

    @readonly
    def guest(self, number: int) -> Guest:
        return self.guests[number]


def fixture(function: F) -> F:
    return function


@fixture
def hotel(tmp_path: Path) -> Iterator[Hotel]:
    system = init_system(Hotel(5), str(tmp_path))
    yield system
    control(system).close()


@fixture
def plain_hotel() -> Hotel:
    hotel = Hotel()
    hotel.free.clear()
    hotel.guests[3] = Guest("x")
    hotel.guests[3].nights = 4
    return hotel


def test_plain(plain_hotel: Hotel) -> None:
    plain_hotel.free = [1]
    plain_hotel.guest(3).notes.append("x")
    assert plain_hotel.check_in(Guest("y")) == 1
    assert plain_hotel.guests[1].name == "y"


def test_with(hotel: Hotel, monkeypatch: Any, capsys: Any) -> None:
    guest = Guest("z")
    number = hotel.check_in(guest)
    guest.nights = 7
    assert hotel.guest(number).nights == 1
    monkeypatch.setattr(hotel, "free", [])
    capsys.readouterr().out.strip()


@contextmanager
def opened(path: str) -> Iterator[Hotel]:
    system = init_system(Hotel(), path)
    yield system


class HotelTest(TestSystemMixin, unittest.TestCase):
    hotel: System[Hotel]
    calls: list[str]

    @classmethod
    def setUpClass(cls) -> None:
        cls.calls = []
        init_system(Hotel(), "shared")

    def setUp(self) -> None:
        self.hotel = init_system(Hotel(2), "data")
        self.guest = Guest("own")
        self.guest.nights = 3
        self.fake = MagicMock(spec=Hotel)
        self.calls.append("setUp")

    def test_numbers(self) -> None:
        for nights in (1, 2):
            with self.subTest(nights=nights):
                self.guest.nights = nights
                number = self.hotel.check_in(self.guest)
                self.assertEqual(self.hotel.guest(number), self.guest)
                self.assertIsNot(self.hotel.guest(number), self.guest)
                self.guest.notes.append("again")

    def test_time(self) -> None:
        self.mock_clock(self.hotel, dt.datetime(2021, 1, 1))
        self.hotel.check_in(self.guest)
        assert self.hotel.opened is not None
        self.assertEqual(self.hotel.opened.year, 2021)

    def test_replaced(self) -> None:
        self.hotel = init_system(Hotel(9), "other")
        hotel = Hotel()
        hotel.opened = Clock().now()
        hotel.free = []
        self.fake.free = [1]
        self.fake.check_in.side_effect = KeyError
        stub = SimpleNamespace(hotel=self.hotel, free=[])
        stub.free.append(3)
        stub.hotel = None
        with self.assertRaises(KeyError), patch.object(self.hotel, "check_in", side_effect=KeyError) as check_in:
            self.hotel.check_in(self.guest)
        self.assertEqual(check_in.mock_calls, [call(self.guest)])
        out = io.StringIO()
        with redirect_stdout(out):
            print(self.hotel.guests)
        free = sorted(self.hotel.free)
        free.append(3)
        self.assertEqual(free, [0, 1, 3])

    def tearDown(self) -> None:
        self.calls.clear()
        del self.hotel
        del self.guest
