"""Write the fossils: directories that this version and every later one must open. Run once for a released format, then commit.

python -m tests.fossils.write tests/fossils/1.0
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

from coopy import control, init_system, once
from coopy.wiring.systems import _systems
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


if __name__ == "__main__":
    for name, key, close in (("closed", None, True), ("signed", KEY, True), ("killed", None, False)):
        write(Path(sys.argv[1]) / name, key, close=close)
    write_keyed(Path(sys.argv[1]) / "keyed")
    import os

    os._exit(0)  # as a killed process: nothing is closed on the way out
