"""`coopy.clock`, `coopy.random`, `self._clock` and `self._random`, and what helps to test them."""

from __future__ import annotations

import datetime as dt
from typing import assert_type
from unittest import TestCase
from uuid import UUID

import coopy
from coopy import Clock, Random, clock, init_system, random
from coopy.tests.utils import TestSystemMixin


class Cart:
    _clock: Clock
    _random: Random

    def __init__(self) -> None:
        self.lines: list[tuple[dt.datetime, UUID]] = []

    def add(self) -> UUID:
        assert_type(self._clock, Clock)
        assert_type(self._random, Random)
        assert_type(self._clock.now(), dt.datetime)
        assert_type(self._random.choice(["a"]), str)
        self._clock.now("a")  # error
        self._clock.yesterday()  # error
        self._random.choice(3)  # error
        line = self._clock.now(), self._random.uuid4()
        self.lines.append(line)
        return line[1]


class Wrong:
    def __init__(self) -> None:
        self.price = 1

    def stamp(self) -> object:
        return self._clock.now()  # error


cart = init_system(Cart)
assert_type(cart.add(), UUID)

assert_type(clock.now(), dt.datetime)
assert_type(clock.now(dt.UTC), dt.datetime)
assert_type(clock.now(tz=None), dt.datetime)
assert_type(clock.utcnow(), dt.datetime)
assert_type(clock.today(), dt.date)
assert_type(clock.time(), float)
assert_type(clock.time_ns(), int)
assert_type(clock.monotonic(), float)
assert_type(coopy.clock.now(), dt.datetime)
assert_type(Clock().today(), dt.date)
clock.now(3)  # error
clock.time(3)  # error
clock.sleep(3)  # error
day: dt.datetime = clock.today()  # error

letters: list[str] = ["a", "b"]
assert_type(random.random(), float)
assert_type(random.uniform(1, 2), float)
assert_type(random.gauss(), float)
assert_type(random.randint(1, 6), int)
assert_type(random.randrange(6), int)
assert_type(random.getrandbits(8), int)
assert_type(random.randbytes(8), bytes)
assert_type(random.choice(letters), str)
assert_type(random.choices(letters, [1, 2], k=3), list[str])
assert_type(random.sample(letters, 1), list[str])
assert_type(random.sample(letters, k=2, counts=[1, 2]), list[str])
assert_type(random.uuid4(), UUID)
assert_type(random.token_hex(), str)
assert_type(random.token_bytes(8), bytes)
assert_type(coopy.random.choice(letters), str)
assert_type(Random().choice(letters), str)
random.shuffle(letters)
random.shuffle(("a", "b"))  # error
random.choice(3)  # error
random.choice({"a"})  # error
random.choices(letters, "a")  # error
random.sample(letters)  # error
random.token_hex("a")  # error
random.uuid1()  # error


class CartTest(TestCase, TestSystemMixin):
    cart: Cart

    def test_cart(self) -> None:
        self.cart = init_system(Cart())
        self.mock_clock(self.cart, dt.datetime(2020, 1, 1))
        self.mock_clock(self.cart, dt.date(2020, 1, 1))
        self.mock_clock(Cart(), date=dt.date(2020, 1, 1))
        self.mock_clock(domain=self.cart, date=dt.date(2020, 1, 1))
        self.enable_clock(self.cart)
        self.mock_clock(self.cart, "2020-01-01")  # error
        self.mock_clock(self.cart, 3)  # error
        self.mock_clock(self.cart)  # error
        self.mock_clock(dt.date(2020, 1, 1))  # error
        self.enable_clock()  # error
        self.enable_clock(self.cart, dt.date(2020, 1, 1))  # error
