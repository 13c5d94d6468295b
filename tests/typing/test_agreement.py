"""What the plugin, the validator and the running system say of the same class: one table, three readers."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections import Counter, OrderedDict, UserDict, UserList, deque
from typing import TYPE_CHECKING, Any

import pytest

from coopy import control, init_system
from coopy.error import NotSerializableError, UsageError
from coopy.kinds import CHANGES, UNPICKLABLE
from tests.typing.checked import Project, libraries

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["libraries"]

# --- queries that change the state -------------------------------------------------------------------------------------

LIBRARY = """\
from __future__ import annotations

from coopy.decorators import readonly


class Book:
    def __init__(self, title: str) -> None:
        self.title = title
        self.loans: list[str] = []


class Library:
    def __init__(self) -> None:
        self.books: dict[str, Book] = {"a": Book("A"), "b": Book("B")}
        self.asked = 0
        self.order = ["b", "a"]

    def _count(self) -> int:
        return len(self.books)

    @readonly
    def titles(self) -> list[str]:
        titles = [book.title for book in self.books.values()]
        titles.append("end")
        titles.sort()
        return titles

    @readonly
    def count(self) -> int:
        return self._count()

    @readonly
    def copied(self) -> list[str]:
        order = list(self.order)
        order.reverse()
        return order

    @readonly
    def ask(self) -> int:
        self.asked += 1  # changes
        return self.asked

    @readonly
    def lend(self, key: str) -> str:
        book = self.books[key]
        book.loans.append("me")  # changes
        return book.title

    @readonly
    def rename(self, key: str) -> str:
        self.books[key].title = "new"  # changes
        return key

    @readonly
    def tidy(self) -> list[str]:
        self.order.sort()  # changes
        return list(self.order)

    @readonly
    def lose(self, key: str) -> int:
        del self.books[key]  # changes
        return len(self.books)

    @readonly
    def rename_all(self) -> int:
        for book in self.books.values():
            book.title += "!"  # changes
        return len(self.books)
"""
LINES = [number for number, line in enumerate(LIBRARY.splitlines(), 1) if line.endswith("# changes")]
CALLS: list[tuple[str, tuple[str, ...], bool]] = [
    ("titles", (), False),
    ("count", (), False),
    ("copied", (), False),
    ("ask", (), True),
    ("lend", ("a",), True),
    ("rename", ("a",), True),
    ("tidy", (), True),
    ("lose", ("a",), True),
    ("rename_all", (), True),
]


def test_the_plugin_reports_the_queries_that_change_the_state(tmp_path: Path, libraries: Path) -> None:
    reports = Project(tmp_path, {"library.py": LIBRARY}).fresh(libraries).codes()
    assert reports == [("library.py", line, "coopy-readonly") for line in LINES]


def test_the_validator_reports_them_too(tmp_path: Path) -> None:
    found = validated(tmp_path, "library", LIBRARY, "Library")
    assert {one["line"] for one in found if one["category"] == "readonly-mutation"} == set(LINES)


@pytest.mark.parametrize(("method", "arguments", "changes"), CALLS, ids=[one[0] for one in CALLS])
def test_and_their_changes_are_those_that_a_restart_forgets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, arguments: tuple[str, ...], changes: bool
) -> None:
    """The running system does not look: what a query changes is in memory, and in no journal."""
    (tmp_path / "library.py").write_text(LIBRARY)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "library", raising=False)
    library: Any = importlib.import_module("library")
    opened: Any = init_system(library.Library, tmp_path / "data", validation="off")
    with control(opened) as proxy:
        before, lsn = control(proxy).digest(), control(proxy).lsn
        getattr(proxy, method)(*arguments)
        assert (control(proxy).digest() != before) is changes
        assert control(proxy).lsn == lsn
    del sys.modules["library"]


# --- what changes a container ------------------------------------------------------------------------------------------

SAMPLES: dict[str, Any] = {
    "builtins.list": lambda: [3, 1, 2],
    "builtins.dict": lambda: {"a": 1, "b": 2},
    "builtins.set": lambda: {1, 2, 3},
    "builtins.bytearray": lambda: bytearray(b"cab"),
    "collections.deque": lambda: deque([3, 1, 2]),
    "collections.OrderedDict": lambda: OrderedDict(a=1, b=2),
    "collections.Counter": lambda: Counter(a=1, b=2),
    "collections.UserDict": lambda: UserDict(a=1, b=2),
    "collections.UserList": lambda: UserList([3, 1, 2]),
}
ARGUMENTS: tuple[tuple[Any, ...], ...] = ((), (1,), ("a",), ("z", 9), (0, 7), ([7, 8],), ({7, 8},), ({1},), ({"q": 7},), (b"q",), (97,))


@pytest.mark.parametrize("kind", SAMPLES)
def test_the_methods_of_a_container_that_change_it_are_those_in_the_table(kind: str) -> None:
    """Each of its methods is tried with arguments of many kinds."""
    make = SAMPLES[kind]
    changing = {name for name in dir(make()) if not name.startswith("_") and callable(getattr(make(), name)) and ever_changes(make, name)}
    bases = {f"{base.__module__}.{base.__qualname__}" for base in type(make()).__mro__}
    known = {name for base in bases for name in CHANGES.get(base, ())}
    assert changing <= known, "the table lacks a method that changes it"
    assert {name for name in known if hasattr(make(), name)} - changing <= {"update"}, "the table has a method that changes nothing"


def ever_changes(make: Any, name: str) -> bool:
    """Whether a method changes its object with any of the arguments."""
    for arguments in ARGUMENTS:
        one = make()
        before = repr(one)
        try:
            getattr(one, name)(*arguments)
        except (TypeError, ValueError, LookupError, AttributeError, NotImplementedError):
            continue
        if repr(one) != before:
            return True
    return False


# --- what cannot be recorded -------------------------------------------------------------------------------------------

MADE = {
    "threading.Lock": "threading.Lock()",
    "threading.RLock": "threading.RLock()",
    "threading.Condition": "threading.Condition()",
    "threading.Event": "threading.Event()",
    "threading.Semaphore": "threading.Semaphore()",
    "threading.BoundedSemaphore": "threading.BoundedSemaphore()",
    "threading.Barrier": "threading.Barrier(2)",
    "threading.Thread": "threading.Thread()",
    "threading.Timer": "threading.Timer(1, print)",
    "threading.local": "threading.local()",
    "io.TextIOWrapper": "open(__file__)",
    "io.BufferedReader": "open(__file__, 'rb')",
    "io.BufferedWriter": "open(os.devnull, 'wb')",
    "io.BufferedRandom": "open(FRESH, 'w+b')",
    "io.FileIO": "open(__file__, 'rb', buffering=0)",
    "queue.Queue": "queue.Queue()",
    "queue.LifoQueue": "queue.LifoQueue()",
    "queue.PriorityQueue": "queue.PriorityQueue()",
    "queue.SimpleQueue": "queue.SimpleQueue()",
    "socket.socket": "socket.socket()",
    "subprocess.Popen": "subprocess.Popen(['true'])",
    "sqlite3.Connection": "sqlite3.connect(':memory:')",
    "sqlite3.Cursor": "sqlite3.connect(':memory:').cursor()",
    "mmap.mmap": "mmap.mmap(-1, 10)",
    "weakref.ref": "weakref.ref(Held())",
    "weakref.WeakSet": "weakref.WeakSet()",
    "weakref.WeakKeyDictionary": "weakref.WeakKeyDictionary()",
    "weakref.WeakValueDictionary": "weakref.WeakValueDictionary()",
    "concurrent.futures.ThreadPoolExecutor": "concurrent.futures.ThreadPoolExecutor(1)",
    "concurrent.futures.ProcessPoolExecutor": "concurrent.futures.ProcessPoolExecutor(1)",
    "select.epoll": "select.epoll()",
    "select.poll": "select.poll()",
    "selectors.DefaultSelector": "selectors.DefaultSelector()",
    "contextvars.ContextVar": "contextvars.ContextVar('x')",
    "contextvars.Context": "contextvars.Context()",
}
IMPORTS = """\
import concurrent.futures
import contextvars
import mmap
import os
import queue
import select
import selectors
import socket
import sqlite3
import subprocess
import threading
import weakref

from coopy import init_system

FRESH = os.path.join(os.path.dirname(__file__), "fresh")


class Held:
    pass


"""
BAG = (
    IMPORTS
    + """\
class Bag:
    def __init__(self) -> None:
        self.kept: list[object] = []

    def put(self, thing: object) -> None:
        self.kept.append(thing)


bag = init_system(Bag(), os.path.join(os.path.dirname(__file__), "data"))
"""
)
SHELF = (
    IMPORTS
    + """\
class Shelf:
    def __init__(self) -> None:
        self.kept: object = None

"""
)


def test_what_a_table_says_cannot_be_recorded_is_tried() -> None:
    """A socket under TLS needs a peer; it is a socket."""
    assert MADE.keys() == UNPICKLABLE - {"ssl.SSLSocket"}


def test_the_plugin_reports_each_as_an_argument(tmp_path: Path, libraries: Path) -> None:
    text = BAG + "".join(f"bag.put({made})\n" for made in MADE.values())
    first = len(BAG.splitlines()) + 1
    reports = Project(tmp_path, {"bag.py": text}).fresh(libraries).codes()
    assert {line for _, line, code in reports if code == "coopy-pickle"} == set(range(first, first + len(MADE)))


def test_the_validator_reports_each_as_state(tmp_path: Path) -> None:
    """Or what makes it, where that is a hazard itself: a socket, a process."""
    methods = "".join(f"    def keep{number}(self) -> None:\n        self.kept = {made}\n\n" for number, made in enumerate(MADE.values()))
    first = len(SHELF.splitlines()) + 2
    found = validated(tmp_path, "shelf", SHELF + methods, "Shelf")
    lines = {one["line"] for one in found if one["category"] in ("unpicklable-state", "network", "process", "concurrency")}
    assert [name for number, name in enumerate(MADE) if first + 3 * number not in lines] == []


def test_the_running_system_refuses_each_and_nothing_changes(tmp_path: Path) -> None:
    calls = "".join(f"refused({name!r}, lambda: {made})\n" for name, made in MADE.items())
    text = BAG + REFUSED + calls + "assert bag.kept == [], bag.kept\nprint(len(names))\n"
    (tmp_path / "bag.py").write_text(text)
    ran = subprocess.run([sys.executable, "bag.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, f"{len(MADE)}\n"), ran.stderr


REFUSED = f"""\
from {NotSerializableError.__module__} import {NotSerializableError.__name__}

names = []


def refused(name, make):
    try:
        bag.put(make())
    except NotSerializableError:
        names.append(name)
    else:
        raise AssertionError(f"{{name}} was taken")


"""


def validated(folder: Path, module: str, text: str, domain: str) -> list[dict[str, Any]]:
    """What the validator finds in a module."""
    (folder / f"{module}.py").write_text(text)
    command = [sys.executable, "-m", "coopy.validate", f"{module}.py", "--domain", f"{module}:{domain}", "--format", "json", "--no-cache"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    found: list[dict[str, Any]] = json.loads(done.stdout)["findings"]
    return found


# --- what the proxy refuses --------------------------------------------------------------------------------------------


class Shop:
    """Reported by the plugin: `_count`, `open = ...`, `del open`. Each is refused when it runs, too."""

    def __init__(self) -> None:
        self.open = True

    def _count(self) -> int:
        return 1


def test_the_proxy_refuses_what_costs_nothing_to_refuse(tmp_path: Path) -> None:
    """A lookup that fails, and a class that has no setter: no call pays for it."""
    with control(init_system(Shop(), tmp_path / "shop")) as shop:
        with pytest.raises(UsageError, match="open"):
            shop.open = False  # type: ignore[coopy-set]
        with pytest.raises(UsageError, match="open"):
            del shop.open  # type: ignore[coopy-set]
        with pytest.raises(AttributeError, match="_count"):
            shop._count()  # type: ignore[coopy-private]
        assert shop.open
