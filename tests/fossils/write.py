"""Write the fossils: directories that this version and every later one must open. Run once for a released format, then commit.

python -m tests.fossils.write tests/fossils/1.0             of the class that the tests have today
python -m tests.fossils.write tests/fossils/changed-1.0     of classes that have changed since: a module `former` that is in no file
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import types
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from coopy import control, init_system, once
from coopy.cluster.local import LocalServers
from coopy.wiring.systems import _systems, system_of
from tests.functional.test_replication_bad_days import run_coopy
from tests.words import Word

KEY = b"a fossil's key"


def write(directory: Path, key: bytes | None, *, close: bool) -> None:
    """A snapshot, a second segment, each kind of record."""
    word = init_system(Word(), directory, signing_key=key)
    word.add("a")
    try:
        word.add_and_raise("b")
    except ValueError:
        control(word).take_snapshot()
    word.keep({"list": [1, (2.5, None)], "zeros": bytes(600)})
    try:
        word.add_or_abort("x", fail=True)
    except ValueError:
        word.add_many("c", "d", sep="-")
    if close:
        control(word).close()
    else:
        system = _systems[type(word)]
        system.engine.journal.file.truncate(system.engine.journal.end)  # 4 MB of reserved space need not be kept in a repository


FORMER = "tests.fossils.former"
STEP = """
    @upgrade(from_=1)
    @staticmethod
    def _with_author(state):
        title, _, author = state["title"].partition(" by ")
        return {**state, "title": title, "author": author}
"""


def become(text: str) -> Any:
    """Have a module of this text, as if it had been imported."""
    module = sys.modules[FORMER] = types.ModuleType(FORMER)
    exec(text, vars(module))  # noqa: S102 - the classes must be in no file, or the tests would find them
    return module


def write_changed(directory: Path) -> None:
    """A directory of a first version of the classes, and one that a second version has taken over."""
    text = Path(__file__).with_name("former.py.txt").read_text()
    for name in ("first", "second"):
        former = become(text)
        shelf = init_system(former.Shelf(), directory / name, validation="off")
        fill(former, shelf)
        control(shelf).take_snapshot()
        fill(former, shelf)
        shelf.sort()
        control(shelf).close()
    text = (
        text.replace("class Book:", '@was("Book")\nclass Volume:')
        .replace("Book.Page", "Volume.Page")
        .replace("Book(title)", "Volume(title)")
    )
    former = become(text.replace("        #author\n", f'        self.author = "x"\n{STEP}'))
    shelf = init_system(former.Shelf, directory / "second", validation="off")
    control(shelf).take_snapshot()
    shelf.put(former.Volume("e"))
    control(shelf).close()


def fill(former: Any, shelf: Any) -> None:
    """A record of every kind."""
    shelf.add("b by xx")
    shelf.put(former.Book("a by yyy"))
    shelf.label = "old"
    for call in (shelf.refuse, shelf.clear):
        with contextlib.suppress(former.TooMany):
            call()


def write_keyed(directory: Path) -> None:
    """Keys in a snapshot and in the journal behind it, with each way to keep an outcome."""
    word = init_system(Word(), directory)
    ask_keyed(word)
    control(word).take_snapshot()
    with once("late", within=None, most=99):
        word.add("b")
    control(word).close()


def ask_keyed(word: Any) -> None:
    """Calls with keys. Whether for the first time or again, they give the same."""
    with once("atom", within=None):
        assert word.add("a") == "a"
    with once("copy", within=None):
        assert word.keep_and_show({1: ["x"]}) == [{1: ["x"]}]
    with once("raised", within=None), contextlib.suppress(ValueError):
        word.add_and_raise("r")


def write_node(directory: Path) -> None:
    """Of a node: calls of two nodes, one of them left out, a snapshot, and a second stream that followed on the first."""
    with TemporaryDirectory() as folder, LocalServers(Path(folder) / "servers") as servers:
        both = (directory, Path(folder) / "other")
        one, two = (init_system(Word, each, cluster=servers.urls) for each in both)
        one.add("a")
        two.add("wrong")
        control(one).barrier()
        for word, each in zip((one, two), both, strict=True):
            control(word).close()
            run_coopy("repair", "--yes", "--skip", 2, each)
        one, two = (init_system(Word, each, cluster=servers.urls) for each in both)
        with contextlib.suppress(ValueError):
            two.add_and_raise("b")
        control(one).barrier()
        control(one).take_snapshot()
        with once("atom", within=None):
            one.add("c")
        system = system_of(one)
        system.peers.link.run(system.peers.running.moving.begin_next(system.archive.identity))  # type: ignore[union-attr]
        while control(one).stats().replication.generation == 1:  # type: ignore[union-attr]
            control(one).barrier()
        two.keep({"list": [1, (2.5, None)], "zeros": bytes(600)})
        with contextlib.suppress(ValueError):
            one.add_or_abort("x", fail=True)
        two.add_many("-", "d")
        control(one).barrier()
        control(one).close()
        control(two).close()
    (directory / "LOCK").unlink()
    shutil.rmtree(directory / "quarantine")


if __name__ == "__main__":
    if "changed" in sys.argv[1]:
        write_changed(Path(sys.argv[1]))
        sys.exit()
    for name, key, close in (("closed", None, True), ("signed", KEY, True), ("killed", None, False)):
        write(Path(sys.argv[1]) / name, key, close=close)
    write_keyed(Path(sys.argv[1]) / "keyed")
    write_node(Path(sys.argv[1]) / "node")
    import os

    os._exit(0)  # as a killed process: nothing is closed on the way out
