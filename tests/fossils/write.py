"""Write the fossils: directories that this version and every later one must open. Run once for a released format, then commit.

python -m tests.fossils.write tests/fossils/1.0
"""

from __future__ import annotations

import sys
from pathlib import Path

from coopy import control, init_system
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


if __name__ == "__main__":
    for name, key, close in (("closed", None, True), ("signed", KEY, True), ("killed", None, False)):
        write(Path(sys.argv[1]) / name, key, close=close)
    import os

    os._exit(0)  # as a killed process: nothing is closed on the way out
