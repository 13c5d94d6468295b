"""An opening with new code is tried before it is done, in a process of its own, and nothing is written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from coopy import control, init_system, rehearse
from coopy.error import AuthenticationError, CorruptionError, UsageError
from tests.program import ROOT, program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.program import Program

__all__ = ["program"]

FIRST = """
class Book:
    def __init__(self, title):
        self.title = title

class Shelf:
    def __init__(self):
        self.books = []

    def add(self, title):
        if not title:
            raise ValueError(title)
        self.books.append(Book(title))

    def put(self, book):
        self.books.append(book)
"""

FAILS = "    @upgrade(from_=1)\n    @staticmethod\n    def _more(state): raise KeyError('x')\n"


def fill(shelf: Any, directory: Path, **options: Any) -> Any:
    """A snapshot, and behind it two books, one as an argument, and a call that raised. The system runs."""
    one = init_system(shelf.Shelf, directory, sync_interval=1000, **options)
    one.add("a")
    control(one).take_snapshot()
    one.add("b")
    with pytest.raises(ValueError, match=r"^$"):
        one.add("")
    one.put(shelf.Book("c"))
    control(one).wait_durable()
    return one


def files(directory: Path) -> dict[str, tuple[bytes, int]]:
    """What a directory holds, and when it was written."""
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in directory.rglob("*") if path.is_file()}


def test_the_same_code_is_safe_while_the_system_runs(program: Program, tmp_path: Path) -> None:
    """Nothing of the directory is written; calls go on."""
    one = fill(program.become(FIRST), tmp_path / "w")
    before = files(tmp_path / "w")
    found = rehearse(tmp_path / "w", "shelf:Shelf")
    assert files(tmp_path / "w") == before
    assert found.safe
    assert (found.base, found.lsn, found.problem, found.divergences, found.changed) == (1, 4, "", (), ())
    assert str(found).startswith(
        f"{tmp_path / 'w'} can be opened safely with shelf:Shelf as it is today.\nReplayed 3 actions behind the snapshot at LSN 1 in "
    )
    one.add("d")
    control(one).close()
    assert rehearse(tmp_path / "w", "shelf:Shelf").lsn == 5


def test_the_code_on_disk_is_tried_not_the_one_that_runs(program: Program, tmp_path: Path) -> None:
    """Every action that ends otherwise is in the report, with both outcomes; the class may be named by the old one that is loaded."""
    shelf = program.become(FIRST)
    one = fill(shelf, tmp_path / "w")
    source = program.path / "shelf" / "__init__.py"
    source.write_text(source.read_text().replace("not title", "title == 'b'"))
    found = rehearse(tmp_path / "w", shelf.Shelf)
    assert not found.safe
    assert [(one.lsn, one.method, one.expected) for one in found.divergences] == [
        (2, "add", "return"),
        (3, "add", "raise builtins.ValueError"),
    ]
    assert [one.got for one in found.divergences] == ["raised builtins.ValueError: b", "returned"]
    assert found.changed == ("shelf",)
    assert "can NOT be opened safely" in str(found)
    assert "LSN 2: add() was expected to return, but it raised builtins.ValueError: b" in str(found)
    assert "Code changed since the last opening: shelf." in str(found)
    control(one).take_snapshot()
    assert rehearse(tmp_path / "w", shelf.Shelf).safe
    control(one).close()


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (("class Book:", "class Tome:\n    pass\nclass Volume:"), r"The record of LSN 4: .*|snapshot-.*: Something of class shelf\.Book is stored"),
        (("class Book:", f"from coopy import upgrade\nclass Book:\n{FAILS}"), r"snapshot-0*1\.snap: @upgrade\(from_=1\) of shelf:Book raised KeyError"),
        (("class Shelf:", "import time\nclass Shelf:\n    def now(self): return time.time()\n"), r"Shelf cannot be replayed"),
        (("def put", "async def put"), r"Shelf\.put is `async`"),
        (("class Book:", "from coopy import was\n@was('Old')\nclass One: ...\n@was('Old')\nclass Book:"), "Two classes claim the name shelf:Old"),
        (("class Shelf:", "class Shelf:\n    def __setstate__(self, state): self.__dict__.update(state, more=print)\n"), "cannot be stored: attribute 'more'"),
    ],
)  # fmt: skip
def test_what_would_stop_an_opening_is_said(program: Program, tmp_path: Path, change: tuple[str, str], what: str) -> None:
    """What is wrong with the class, its marks, an old object, or the next snapshot."""
    control(fill(program.become(FIRST), tmp_path / "w")).close()
    before = files(tmp_path / "w")
    program.become(FIRST.replace(*change).replace("Book(title)", "Volume(title)" if "Volume" in change[1] else "Book(title)"))
    found = rehearse(tmp_path / "w", "shelf:Shelf")
    assert not found.safe
    assert found.problem in str(found)
    assert re.search(what, found.problem)
    assert files(tmp_path / "w") == before


def test_states_are_compared_with_the_digests_in_the_journal(program: Program, tmp_path: Path) -> None:
    """Code whose outcomes are the recorded ones may still leave another state."""
    one = fill(program.become(FIRST), tmp_path / "w")
    for _ in range(2):
        one.add("d")
        control(one).digest()
    control(one).close()
    assert rehearse(tmp_path / "w", "shelf:Shelf").compared == (5, 6)
    program.become(FIRST.replace("append(Book(title))", "append(Book(title * 2))"))
    found = rehearse(tmp_path / "w", "shelf:Shelf")
    assert (found.compared, found.differs, found.divergences, found.safe) == ((5,), 5, (), False)
    assert "The state after LSN 5 is not the recorded one: the code does otherwise than it did." in str(found)
    text = FIRST.replace(
        "class Book:",
        "from coopy import upgrade\nclass Book:\n    @upgrade(from_=1)\n    @staticmethod\n    def _more(state): return {**state, 'size': 3}",
    )
    program.become(text)
    found = rehearse(tmp_path / "w", "shelf:Shelf")
    assert (found.differs, found.safe, found.translated) == (5, True, True)
    assert "as it may where shapes have changed" in str(found)


def test_options_are_those_of_the_opening(program: Program, tmp_path: Path) -> None:
    """A key, renames, validation."""
    control(fill(program.become(FIRST), tmp_path / "w", signing_key=b"key")).close()
    program.become(
        FIRST.replace("class Book:", "class Volume:")
        .replace("Book(", "Volume(")
        .replace("class Shelf:", "import time\nclass Case:\n    def now(self): return time.time()\n")
    )
    renames = {"shelf:Book": "shelf:Volume", "shelf:Shelf": "shelf:Case"}
    with pytest.raises(AuthenticationError):
        rehearse(tmp_path / "w", "shelf:Case", renames=renames, validation="off")
    assert rehearse(tmp_path / "w", "shelf:Case", renames=renames, validation="off", signing_key=b"key").safe
    assert "cannot be replayed" in rehearse(tmp_path / "w", "shelf:Case", renames=renames, signing_key=b"key").problem
    with pytest.raises(UsageError, match="holds a shelf:Shelf, not a shelf:Case"):
        rehearse(tmp_path / "w", "shelf:Case", validation="off", signing_key=b"key")


@pytest.mark.parametrize(
    ("domain", "options", "what"),
    [
        ("shelf:Nothing", {}, "cannot be had in a fresh process"), ("nothing:Shelf", {}, "cannot be had"), ("shelf", {}, "domain='shelf' is not possible"),
        (7, {}, "domain=7 is not possible"),
        ("shelf:", {}, "is not possible"), (lambda: 3, {}, "is not possible"), ("shelf:Shelf", {"renames": 3}, "renames=3 is not possible"),
        ("shelf:Shelf", {"validation": "maybe"}, "validation='maybe'"), ("shelf:Shelf", {"allow": 3}, "allow=3"), ("shelf:print", {}, "cannot be had"),
    ],
)  # fmt: skip
def test_what_cannot_be_rehearsed_is_refused(program: Program, tmp_path: Path, domain: Any, options: Any, what: str) -> None:
    """A class that is not there, wrong options."""
    control(fill(program.become(FIRST), tmp_path / "w")).close()
    with pytest.raises(UsageError, match=what):
        rehearse(tmp_path / "w", domain, **options)


def test_a_directory_without_a_system_or_with_damage_is_refused(program: Program, tmp_path: Path) -> None:
    """What is wrong with the files is no matter of the code."""
    program.become(FIRST)
    with pytest.raises(UsageError, match="holds no system yet"):
        rehearse(tmp_path / "w", "shelf:Shelf")
    assert not (tmp_path / "w").exists()
    control(fill(program.become(FIRST), tmp_path / "w")).close()
    (tmp_path / "w" / "MANIFEST").write_bytes(b"x" * 1000)
    with pytest.raises(CorruptionError, match="coopy repair --manifest"):
        rehearse(tmp_path / "w", "shelf:Shelf")
    with pytest.raises(UsageError, match="it is a file"):
        rehearse(tmp_path / "w" / "MANIFEST", "shelf:Shelf")


def test_a_damaged_snapshot_is_told_of(program: Program, tmp_path: Path) -> None:
    """An opening passes over it: that is safe, and is to be known."""
    control(fill(program.become(FIRST), tmp_path / "w")).close()
    path = max((tmp_path / "w").glob("snapshot-*"))
    path.write_bytes(path.read_bytes()[:-1])
    found = rehearse(tmp_path / "w", "shelf:Shelf")
    assert (found.safe, found.base, len(found.passed_over)) == (True, 0, 1)
    assert f"A damaged snapshot is passed over: {path}" in str(found)


def test_an_end_that_no_opening_would_take_is_said(program: Program, tmp_path: Path) -> None:
    """Damage in the last record, and a torn tail, which is none."""
    control(fill(program.become(FIRST), tmp_path / "w")).close()
    journal = max((tmp_path / "w").glob("journal-*"))
    content = journal.read_bytes().rstrip(b"\0")
    journal.write_bytes(content[:-60] + bytes([content[-60] ^ 1]) + content[-59:])
    found = rehearse(tmp_path / "w", "shelf:Shelf")
    assert not found.safe
    assert str(journal) in found.problem


def test_the_command_rehearses_what_lies_in_the_working_directory(program: Program, tmp_path: Path) -> None:
    """Its exit status says whether it is safe: 0, 1, or 2 where it could not be tried."""
    control(fill(program.become(FIRST), tmp_path / "w")).close()

    def tried(name: str) -> subprocess.CompletedProcess[str]:
        """The command is elsewhere, as an installed one is."""
        command = [sys.executable, str(tmp_path / "bin" / "coopy"), "rehearse", str(tmp_path / "w"), name]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run(command, cwd=program.path, env=environment, capture_output=True, text=True, check=False)

    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "coopy").write_text("from coopy.cli import main; main()")
    done = tried("shelf:Shelf")
    assert (done.returncode, done.stderr) == (0, "")
    assert "can be opened safely" in done.stdout
    program.write(FIRST.replace("raise", "return; raise"))
    done = tried("shelf:Shelf")
    assert done.returncode == 1
    assert "LSN 3: add() was expected to raise builtins.ValueError, but it returned" in done.stdout
    done = tried("shelf:Other")
    assert done.returncode == 2
    assert "cannot be had in a fresh process" in done.stderr
