"""Domains that replay and survive, by ways that look suspicious."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from coopy import abort_exception, clock, random, readonly, unlocked
from coopy.testing import Call

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta


class Ledger:
    """Calls that are undone."""

    def __init__(self) -> None:
        self.balances: dict[str, Decimal] = {}

    def deposit(self, name: str, amount: Decimal) -> Decimal:
        self.balances[name] = self.balances.get(name, Decimal(0)) + amount
        return self.balances[name]

    @abort_exception
    def transfer(self, source: str, target: str, amount: Decimal) -> None:
        self.balances[target] = self.balances.get(target, Decimal(0)) + amount
        self.balances[source] -= amount
        if self.balances[source] < 0:
            raise ValueError(source)


@dataclass
class Page:
    text: str
    written: datetime
    seen: list[str] = field(default_factory=list)


class Wiki:
    """Times, and a query that asks for the present one."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.begun = clock.now()

    def write(self, name: str, text: str) -> datetime:
        self.pages[name] = Page(text, clock.now())
        return self.pages[name].written

    @readonly
    def age(self) -> timedelta:
        return clock.now() - self.begun


class Raffle:
    """Chance of coopy's, and a query that draws, too."""

    def __init__(self) -> None:
        self.tickets: dict[str, str] = {}
        self.winners: list[str] = []

    def sell(self, name: str) -> str:
        self.tickets[name] = str(random.uuid4())
        return self.tickets[name]

    def draw(self) -> str:
        self.winners.append(random.choice(sorted(self.tickets)))
        return self.winners[-1]

    @readonly
    def guess(self) -> str:
        return random.choice(["red", *self.tickets])


class Tags:
    """Sets whose order nobody keeps, though a query shows it."""

    def __init__(self) -> None:
        self.tags: set[str] = set()
        self.shown: list[str] = []

    def add(self, *tags: str) -> int:
        self.tags.update(tags)
        self.shown = sorted(self.tags)
        return len(self.tags)

    @readonly
    def anyhow(self) -> list[str]:
        return list(self.tags)


class Lookup:
    """A cache that is left out of the state, and made anew."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self._places: dict[str, int] = {}

    def add(self, word: str) -> int:
        self._places[word] = len(self.words)
        self.words.append(word)
        return self._places[word]

    @readonly
    def size(self) -> int:
        return len(self._places)

    def __getstate__(self) -> dict[str, Any]:
        return {"words": self.words}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _places={word: place for place, word in enumerate(state["words"])})


class Meter:
    """Slots only."""

    __slots__ = ("readings", "total")

    def __init__(self) -> None:
        self.readings: list[float] = []
        self.total = 0.0

    def read(self, value: float) -> float:
        self.readings.append(value)
        self.total += value
        return self.total


class Person:
    def __init__(self, name: str) -> None:
        self.name = name
        self.friends: set[Person] = set()


class Club:
    """Circles of objects in sets, which have no order and no names."""

    def __init__(self) -> None:
        self.people: dict[str, Person] = {}

    def join(self, name: str, friend: str | None = None) -> None:
        person = self.people[name] = Person(name)
        if friend is not None:
            person.friends.add(self.people[friend])
            self.people[friend].friends.add(person)


class Queue:
    """Exceptions after a change: the change stays."""

    def __init__(self) -> None:
        self.waiting: list[str] = []
        self.refused = 0

    def enter(self, name: str) -> int:
        if name in self.waiting:
            self.refused += 1
            raise ValueError(name)
        self.waiting.append(name)
        return len(self.waiting)

    def __len__(self) -> int:
        return len(self.waiting)


class Drawer:
    """Operators and properties."""

    def __init__(self) -> None:
        self._things: dict[str, object] = {}
        self._label = ""

    @property
    def label(self) -> str:
        return self._label

    @label.setter
    def label(self, label: str) -> None:
        self._label = label.strip()

    def __setitem__(self, name: str, thing: int) -> None:
        self._things[name] = thing

    def __delitem__(self, name: str) -> None:
        del self._things[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._things)


_lock = threading.Lock()


class Hits:
    """A lock of its own, in the module: no state of it matters."""

    def __init__(self) -> None:
        self.count = 0

    @unlocked
    def hit(self) -> int:
        with _lock:
            self.count += 1
            return self.count

    def reset(self) -> Hits:
        self.count = 0
        return self


class Index:
    """A set that is answered in every shape: its order is not the index's, and is another one when the set was read back."""

    def __init__(self) -> None:
        self.words: set[str] = set()

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    def learn(self, text: str) -> None:
        self.words |= set(text)
        self.words -= set(text[:3])

    @readonly
    def shouted(self) -> Iterator[str]:
        return (word.upper() for word in self.words)

    @readonly
    def lengths(self) -> dict[str, int]:
        return {word: len(word) for word in self.words}

    @readonly
    def by_length(self) -> dict[int, list[str]]:
        return {1: list(self.words)}


class Diver:
    """Calls that end by what is no ordinary exception."""

    def __init__(self) -> None:
        self.log: list[str] = []

    def dive(self, depth: int = 0) -> None:
        if not depth:
            self.log.append("down")
        self.dive(depth + 1)

    def leave(self) -> None:
        self.log.append("out")
        raise SystemExit(3)


class Sound(NamedTuple):
    """A domain, and calls of it."""

    domain: type
    calls: tuple[Call, ...]


SOUND = (
    Sound(Ledger, (Call("deposit", "ada", Decimal("2.50")), Call("transfer", "ada", "bob", Decimal(2)), Call("transfer", "ada", "bob", Decimal(9)))),
    Sound(Wiki, (Call("write", "Home", text="Welcome"), Call("write", "Help", "?"))),
    Sound(Raffle, (Call("sell", "ada"), Call("sell", "bob"), Call("draw"), Call("draw"))),
    Sound(Tags, (Call("add", "b", "a"), Call("add", *"hgfedc"), Call("add", "a"))),
    Sound(Lookup, (Call("add", "x"), Call("add", "y"), Call("add", "z"))),
    Sound(Meter, (Call("read", 0.1), Call("read", 0.2), Call("read", float("nan")))),
    Sound(Club, (Call("join", "ada"), Call("join", "bob", "ada"), Call("join", "eve", friend="ada"))),
    Sound(Queue, (Call("enter", "ada"), Call("enter", "ada"), Call("enter", "bob"))),
    Sound(Drawer, (Call("label=", " x "), Call("__setitem__", "a", 1), Call("__delitem__", "a"), Call("__delitem__", "a"))),
    Sound(Hits, (Call("hit"), Call("reset"), Call("hit"))),
    Sound(Diver, (Call("dive"), Call("leave"), Call("dive"))),
    Sound(Index, (Call("learn", "abcdefghijklm"), Call("learn", "nopqrstuvwabc"), Call("learn", "hijklmnop"))),
)  # fmt: skip
