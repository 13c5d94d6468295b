"""What the plugin reports: an error code each, under the parent `coopy`, with why, what instead, and an example that is its page.

mypy knows a code from the moment this file is imported. A message says what is lost and what to write.
"""

from __future__ import annotations

from typing import NamedTuple

from mypy.errorcodes import ErrorCode

__all__ = ["ALIAS", "CLASH", "INTERNAL", "MUTATE", "PARENT", "PICKLE", "PRIVATE", "READONLY", "REPLICA", "SET", "TOPICS", "Topic"]

PARENT = ErrorCode("coopy", "Use of coopy that a restart would not repeat", "Coopy")
INTERNAL = "coopy's mypy plugin failed here ({error}) and reports nothing more about such a place; types are not affected"


def _code(name: str, what: str) -> ErrorCode:
    return ErrorCode(f"coopy-{name}", what, "Coopy", sub_code_of=PARENT)


SET = _code("set", "An attribute of a proxy is set from outside")
MUTATE = _code("mutate", "Something reached through a proxy is changed outside of an action")
PRIVATE = _code("private", "A private name is taken from a proxy")
REPLICA = _code("replica", "An action is called on a replica")
READONLY = _code("readonly", "A @readonly method changes the state")
PICKLE = _code("pickle", "An argument of an action cannot be recorded")
ALIAS = _code("alias", "An argument of an action is a live part of a system")
CLASH = _code("clash", "A domain class defines a name that coopy injects")


class Topic(NamedTuple):
    """One code as its page has it. `bad` and `good` are whole modules; a line of `bad` that is reported ends in `# here`."""

    code: ErrorCode
    why: str
    instead: str
    bad: str
    good: str


_WIKI = """\
from coopy import init_system
from coopy.decorators import readonly


class Page:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tags: list[str] = []


class Wiki:
    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.visits = 0

    def create(self, name: str, text: str) -> None:
        self.pages[name] = Page(text)

    def tag(self, name: str, tag: str) -> None:
        self.pages[name].tags.append(tag)

    @readonly
    def get(self, name: str) -> Page:
        return self.pages[name]


"""

TOPICS = (
    Topic(
        SET,
        "An attribute is set without a call, so no journal has it. The proxy refuses it when the program runs; here it is said before.",
        "Write a method of the domain that sets it: a call of that is recorded. Setting a property that has a setter is such a call.",
        _WIKI
        + """\
wiki = init_system(Wiki(), "data/wiki")
wiki.visits += 1  # here
wiki.pages = {}  # here
""",
        """\
from coopy import init_system


class Wiki:
    def __init__(self) -> None:
        self.visits = 0

    def visit(self) -> int:
        self.visits += 1
        return self.visits


wiki = init_system(Wiki(), "data/wiki")
wiki.visit()
""",
    ),
    Topic(
        MUTATE,
        "What a proxy gives is the state itself, not a copy. A change of it is seen by everybody at once, is in no journal, and is gone after the next restart.",
        "Change it in a method of the domain. To change something of your own, make a copy first: `list(...)`, `copy.deepcopy(...)`, a new object.",
        _WIKI
        + """\
wiki = init_system(Wiki(), "data/wiki")
wiki.get("Home").text = "gone tomorrow"  # here
wiki.pages["Home"] = Page("gone, too")  # here
for page in wiki.pages.values():
    page.tags.append("old")  # here
""",
        _WIKI
        + """\
wiki = init_system(Wiki(), "data/wiki")
wiki.create("Home", "Welcome")
wiki.tag("Home", "old")
names = sorted(wiki.pages)
names.append("of my own")
""",
    ),
    Topic(
        PRIVATE,
        "A proxy gives the public names of its domain only. What a private method does would not be recorded.",
        "Write a public method; it may call the private one.",
        """\
from coopy import init_system


class Wiki:
    def __init__(self) -> None:
        self._index: dict[str, int] = {}

    def _rebuild(self) -> None:
        self._index.clear()


wiki = init_system(Wiki(), "data/wiki")
wiki._rebuild()  # here
print(wiki._index)  # here
""",
        """\
from coopy import init_system


class Wiki:
    def __init__(self) -> None:
        self._index: dict[str, int] = {}

    def _rebuild(self) -> None:
        self._index.clear()

    def rebuild(self) -> None:
        self._rebuild()


wiki = init_system(Wiki(), "data/wiki")
wiki.rebuild()
""",
    ),
    Topic(
        REPLICA,
        "A replica has the primary's journal and answers queries. It cannot record an action of its own: the call raises ReplicaError. "
        "Nor can what `control(wiki).at(lsn)` gives: the state as it was answers queries, and the call raises UsageError.",
        "Call it on the primary. If the method changes nothing, mark it as `@readonly`.",
        _WIKI
        + """\
replica = init_system(Wiki, replication=True)
replica.create("Home", "Welcome")  # here
""",
        _WIKI
        + """\
replica = init_system(Wiki, replication=True)
print(replica.get("Home").text)
""",
    ),
    Topic(
        READONLY,
        "A query is not recorded. What it changes is there until the next restart, and then it is not.",
        "Take the decorator away: the method is an action then. Or have the query change nothing but what it made itself.",
        """\
from coopy.decorators import readonly


class Wiki:
    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.reads = 0

    def forget(self, name: str) -> None:
        del self.pages[name]

    @readonly
    def get(self, name: str) -> str:
        self.reads += 1  # here
        self.pages.setdefault(name, "")  # here
        return self.pages[name]

    @readonly
    def take(self, name: str) -> str:
        text = self.pages[name]
        self.forget(name)  # here
        return text
""",
        """\
from coopy.decorators import readonly


class Wiki:
    def __init__(self) -> None:
        self.pages: dict[str, str] = {}

    @readonly
    def longest(self) -> list[str]:
        found = list(self.pages.values())
        found.sort(key=len)
        return found[-3:]
""",
    ),
    Topic(
        PICKLE,
        "An action's arguments go into the journal. What can never be written there (a lambda, a generator, an open file, a lock) is refused by the call.",
        "Pass what it is made from: the list instead of the generator, the path instead of the file.",
        """\
from collections.abc import Iterable

from coopy import init_system


class Log:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def add_all(self, lines: Iterable[str]) -> None:
        self.lines.extend(lines)


log = init_system(Log(), "data/log")
log.add_all(line.strip() for line in ["a", "b"])  # here
log.add_all(open("messages.txt"))  # here
""",
        """\
from collections.abc import Iterable
from pathlib import Path

from coopy import init_system


class Log:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def add_all(self, lines: Iterable[str]) -> None:
        self.lines.extend(lines)


log = init_system(Log(), "data/log")
log.add_all([line.strip() for line in ["a", "b"]])
log.add_all(Path("messages.txt").read_text().splitlines())
""",
    ),
    Topic(
        ALIAS,
        "An action runs on copies of its arguments, as a restart will. For an object of the state that is passed back, it changes the copy.",
        "Pass the name or the key, and let the method look the object up. A new object, and what cannot change (strings, numbers, dates), may be passed as it is.",
        """\
from coopy import init_system


class Person:
    def __init__(self, name: str) -> None:
        self.name = name
        self.friends: list[Person] = []


class People:
    def __init__(self) -> None:
        self.people: dict[str, Person] = {}

    def add(self, name: str) -> None:
        self.people[name] = Person(name)

    def befriend(self, one: Person, other: Person) -> None:
        one.friends.append(other)


people = init_system(People(), "data/people")
people.befriend(people.people["Ann"], Person("Bob"))  # here
""",
        """\
from coopy import init_system


class Person:
    def __init__(self, name: str) -> None:
        self.name = name
        self.friends: list[Person] = []


class People:
    def __init__(self) -> None:
        self.people: dict[str, Person] = {}

    def add(self, name: str) -> None:
        self.people[name] = Person(name)

    def befriend(self, one: str, other: str) -> None:
        self.people[one].friends.append(self.people[other])


people = init_system(People(), "data/people")
people.add("Ann")
people.add("Bob")
people.befriend("Ann", "Bob")
""",
    ),
    Topic(
        CLASH,
        "A system gives its domain object `_clock` and `_random`. A class that defines such a name itself keeps its own, and gets no recorded time or chance there.",
        "Choose another name; or declare what comes from coopy: `_clock: Clock`, `_random: Random`.",
        """\
import time

from coopy import init_system


class Race:
    def __init__(self) -> None:
        self._clock = time.monotonic()  # here


init_system(Race(), "data/race")
""",
        """\
from coopy import Clock, init_system


class Race:
    _clock: Clock

    def __init__(self) -> None:
        self.started: float | None = None

    def start(self) -> None:
        self.started = self._clock.time()


init_system(Race(), "data/race")
""",
    ),
)
