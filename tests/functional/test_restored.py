"""An opening says what it found, and whether the code is that of the last time."""

from __future__ import annotations

import logging
import shutil
import sys
import types
from typing import TYPE_CHECKING, Any

from coopy import control, init_system
from coopy.disk import RealDisk
from coopy.manifest import read_manifest
from tests.program import program
from tests.words import Word

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.program import Program

__all__ = ["program"]

SHELF = "from shelf.books import Book\nclass Shelf:\n def __init__(self): self.books = []\n def add(self, title): self.books.append(Book(title))"
BOOKS = "import shelf.ink\nclass Book:\n def __init__(self, title): self.title = title"
PARTS = {"books": BOOKS, "ink": "COLOUR = 'blue'", "shop": "PRICE = 3"}


def changed(shelf: Any, directory: Path, **options: Any) -> tuple[str, ...] | None:
    """What the next opening says about the code."""
    with control(init_system(shelf.Shelf, directory, **options)) as one:
        one.add("a")
        return control(one).restored.changed


def test_an_opening_says_how_it_came_to_the_state(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The snapshot, the actions behind it, the time it took; in the log as well."""
    with control(init_system(Word, tmp_path / "w")) as word:
        assert (control(word).restored.base, control(word).restored.actions) == (0, 0)
        word.add("a")
        control(word).take_snapshot()
        word.add("b")
        word.add("c")
    with caplog.at_level(logging.INFO, "coopy"), control(init_system(Word, tmp_path / "w")) as word:
        found = control(word).restored
    assert (found.base, found.lsn, found.actions, found.torn, found.passed_over, found.divergences, found.changed) == (
        1,
        3,
        2,
        0,
        (),
        0,
        (),
    )
    assert 0 < found.seconds < 60
    assert str(found) == f"restored LSN 3 in {found.seconds:.2f} s: the snapshot at LSN 1 and 2 actions"
    assert f"{tmp_path / 'w'}: {found}" in caplog.text


def test_what_is_unusual_is_in_it(tmp_path: Path) -> None:
    """A damaged snapshot that was passed over, a torn tail."""
    with control(init_system(Word, tmp_path / "w")) as word:
        word.add("a")
        control(word).take_snapshot()
        word.add("b")
        shutil.copytree(tmp_path / "w", tmp_path / "killed")
    (tmp_path / "killed").chmod(0o700)
    (tmp_path / "killed" / f"snapshot-{1:020}.snap").write_bytes(b"damaged")
    journal = tmp_path / "killed" / f"journal-{2:020}.log"
    journal.write_bytes(journal.read_bytes().rstrip(b"\0") + b"cp\1\0torn")
    with control(init_system(Word, tmp_path / "killed")) as word:
        found = control(word).restored
        assert word.text == "ab"
    assert (found.base, found.actions, len(found.passed_over), found.torn) == (0, 2, 1, 8)
    assert "; 1 damaged snapshots passed over; a torn tail of 8 bytes put aside" in str(found)


def test_code_that_changed_is_named_by_its_modules(program: Program, tmp_path: Path) -> None:
    """Those that the domain class reaches, however indirectly: changed, new and gone ones."""
    first = program.become(SHELF, **PARTS)
    assert changed(first, tmp_path / "w") is None
    assert changed(first, tmp_path / "w") == ()
    assert changed(program.become(SHELF, **PARTS), tmp_path / "w") == ()
    assert changed(program.become(SHELF, **{**PARTS, "shop": "PRICE = 4"}), tmp_path / "w") == ()
    assert changed(program.become(SHELF, **{**PARTS, "ink": "COLOUR = 'red'"}), tmp_path / "w") == ("shelf.ink",)
    assert changed(program.become(f"{SHELF}\nimport shelf.shop", **PARTS), tmp_path / "w") == ("shelf", "shelf.ink", "shelf.shop")
    assert changed(program.become(SHELF, **PARTS), tmp_path / "w", validation="off") == ("shelf", "shelf.shop")
    assert changed(program.become(SHELF, **PARTS), tmp_path / "w") == ()


def test_code_that_changed_where_it_lies_is_named(program: Program, tmp_path: Path) -> None:
    """Also by as many letters, and within one process: a source is read again when its file is another or was written to."""
    shelf = program.become(SHELF, **PARTS)
    ink = program.path / "shelf" / "ink.py"
    changed(shelf, tmp_path / "w")
    assert changed(shelf, tmp_path / "w") == ()
    ink.write_text("COLOUR = 'grey'")
    assert changed(shelf, tmp_path / "w") == ("shelf.ink",)
    other = ink.with_name("new.py")
    other.write_text("COLOUR = 'pink'")
    other.replace(ink)
    assert changed(shelf, tmp_path / "w") == ("shelf.ink",)
    assert changed(shelf, tmp_path / "w") == ()


def test_the_manifest_remembers_the_last_changes(program: Program, tmp_path: Path) -> None:
    """Since which epoch and LSN; not more than sixteen of them, and only of the last one each module."""
    for number in range(20):
        changed(program.become(f"{SHELF}\nNUMBER = {number}", **PARTS), tmp_path / "w")
        changed(program.become(f"{SHELF}\nNUMBER = {number}", **PARTS), tmp_path / "w")
    manifest = read_manifest(RealDisk(), str(tmp_path / "w"), b"")
    assert manifest is not None
    assert [(one.epoch, one.lsn) for one in manifest.code] == [(2 * number + 1, 2 * number) for number in range(4, 20)]
    assert [sorted(one.modules) for one in manifest.code] == [[]] * 15 + [["shelf", "shelf.books", "shelf.ink"]]
    assert len({one.digest for one in manifest.code}) == 16


def test_a_class_without_source_has_no_fingerprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it has changed is not known."""
    module = types.ModuleType("nowhere")
    monkeypatch.setitem(sys.modules, "nowhere", module)
    exec("class Shelf:\n def add(self): ...", vars(module))  # noqa: S102 - there is no other class without source
    for _ in range(2):
        with control(init_system(module.Shelf, tmp_path / "w", validation="off")) as one:
            assert control(one).restored.changed is None
