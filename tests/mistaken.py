"""Domains with one mistake each: what somebody might write, and what only a restart shows. Their docstrings say what it is."""

from __future__ import annotations

import os
import random
import threading
import time
from datetime import date, datetime
from pathlib import Path
from typing import Any, ClassVar

from coopy import readonly


class Draw:
    """Random numbers that are not coopy's."""

    def __init__(self) -> None:
        self.winners: list[int] = []

    def draw(self) -> None:
        self.winners.append(random.randrange(10**9))


class Diary:
    """The date of the machine."""

    def __init__(self) -> None:
        self.days: list[date] = []

    def note(self) -> None:
        self.days.append(date.today())


class Log:
    """The time of the machine."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def note(self) -> None:
        self.times.append(time.time())


class Guests:
    """The order of a set becomes that of a list."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.seats: list[str] = []

    def invite(self, name: str) -> None:
        self.names.add(name)
        self.seats = list(self.names)


class Shards:
    """The hash of a text."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}

    def store(self, key: str) -> None:
        self.places[key] = hash(key) % 1009


class Nodes:
    """The address of an object."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []

    def add(self) -> None:
        node: list[int] = []
        self.nodes.append((node, id(node)))


class Trains:
    """The time zone of the machine."""

    def __init__(self) -> None:
        self.departures: list[str] = []

    def depart(self, at: float) -> None:
        self.departures.append(datetime.fromtimestamp(at).isoformat())


class Prints:
    """The working directory."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    def store(self, name: str) -> None:
        self.paths.append(str(Path(name).absolute()))


class Workers:
    """The process that runs it."""

    def __init__(self) -> None:
        self.owners: list[int] = []

    def own(self) -> None:
        self.owners.append(os.getpid())


_numbers = [0]


class Invoices:
    """A counter in the module: a snapshot does not hold it."""

    def __init__(self) -> None:
        self.issued: list[int] = []

    def issue(self) -> int:
        _numbers[0] += 1
        self.issued.append(_numbers[0])
        return _numbers[0]


class Tickets:
    """A counter in the class."""

    last: ClassVar[int] = 0

    def __init__(self) -> None:
        self.sold: list[int] = []

    def sell(self) -> int:
        type(self).last += 1
        self.sold.append(self.last)
        return self.last


class Basket:
    """A default that is changed: there is one for all calls of the process."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def put(self, thing: str, seen: list[str] = []) -> int:  # noqa: B006 - the mistake
        seen.append(thing)
        self.sizes.append(len(seen))
        return len(seen)


class Visits:
    """A query that counts."""

    def __init__(self) -> None:
        self.read = 0
        self.pages: list[str] = []

    def write(self, page: str) -> None:
        self.pages.append(page)

    @readonly
    def look(self) -> list[str]:
        self.read += 1  # type: ignore[coopy-readonly]  # the mistake
        return self.pages


class Prices:
    """What is left out of the state is needed for answers."""

    def __init__(self) -> None:
        self._prices: dict[str, int] = {}
        self.names: list[str] = []

    def price(self, name: str, cents: int) -> int:
        self.names.append(name)
        self._prices[name] = cents
        return sum(self._prices.values())

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_prices"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _prices={})


class Index:
    """A cache that is not made anew."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self._places: dict[str, int] | None = None

    def add(self, word: str) -> int:
        self.words.append(word)
        self._places = self._places or {}
        self._places[word] = len(self.words)
        return len(self._places)

    @property
    def known(self) -> int:
        return len(self._places or ())

    def __getstate__(self) -> dict[str, Any]:
        return {"words": self.words}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _places=None)


class Season:
    """Loading begins anew what it should keep."""

    def __init__(self) -> None:
        self.round = 0
        self.results: list[int] = []

    def play(self) -> int:
        self.round += 1
        self.results.append(self.round)
        return self.round

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, round=0)


class Sealed:
    """A state that cannot be read back."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text

    def __setstate__(self, state: dict[str, Any]) -> None:
        if state["text"]:
            raise ValueError("no seal")
        vars(self).update(state)


_texts: dict[str, str] = {}


class Notes:
    """What it holds is in the module, under names that are in the object."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def keep(self, name: str, text: str) -> None:
        self.names.append(name)
        _texts[name] = text

    @property
    def texts(self) -> list[str]:
        return [_texts[name] for name in self.names]


class Register:
    """What it holds is in a file of its own."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.lines = 0

    def enter(self, line: str) -> int:
        with Path(self.path).open("a") as file:
            file.write(f"{line}\n")
        self.lines = len(Path(self.path).read_text().splitlines())
        return self.lines


class Handles:
    """Callers get addresses as handles."""

    def __init__(self) -> None:
        self.things: list[list[str]] = []

    def add(self, name: str) -> int:
        self.things.append([name])
        return id(self.things[-1])

    def rename(self, handle: int, name: str) -> str:
        next(one for one in self.things if id(one) == handle)[0] = name
        return name


class Door:
    """Something that no snapshot can hold."""

    def __init__(self) -> None:
        self.keys: list[object] = []

    def cut(self) -> None:
        self.keys.append(threading.Lock())


class Shelf:
    """Nothing is wrong with it: callers may do wrong, though."""

    def __init__(self) -> None:
        self.books: list[str] = []

    def put(self, book: str) -> None:
        self.books.append(book)
