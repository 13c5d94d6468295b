"""Directories of every released format open, with the state that they had."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from coopy import control, init_system, once, rehearse, restore
from coopy.error import UsageError
from tests.fossils.library import Library
from tests.fossils.write import KEY, ask_keyed
from tests.functional.test_replication_bad_days import run_coopy
from tests.words import Word

HERE = Path(__file__).parent
FOSSILS = sorted(
    path
    for version in HERE.iterdir()
    if version.is_dir() and version.name[0].isdigit()
    for path in version.iterdir()
    if path.name not in {"keyed", "node"}
)


@pytest.mark.parametrize("fossil", FOSSILS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_an_old_directory_opens_with_its_state(fossil: Path, tmp_path: Path) -> None:
    """And takes further calls."""
    shutil.copytree(fossil, tmp_path / "w")
    (tmp_path / "w").chmod(0o700)
    with control(init_system(Word, tmp_path / "w", signing_key=KEY if fossil.name == "signed" else None)) as word:
        assert word.text == "abc-d"
        assert word.kept == [{"list": [1, (2.5, None)], "zeros": bytes(600)}]
        assert word.add("e") == "abc-de"


def test_an_old_directory_knows_its_keys(tmp_path: Path) -> None:
    """Those in its snapshot, and those in the journal behind it."""
    shutil.copytree(HERE / "1.0" / "keyed", tmp_path / "w")
    (tmp_path / "w").chmod(0o700)
    with control(init_system(Word, tmp_path / "w")) as word:
        ask_keyed(word)
        with once("late"):
            assert word.add("b") == "arb"
        assert (word.text, word.kept, control(word).lsn, control(word).stats().keys) == ("arb", [{1: ["x"]}], 4, 4)


def test_an_old_directory_of_a_node_is_read_without_its_cluster(tmp_path: Path) -> None:
    """By the commands, and by what begins another system with it; what its cluster left out is left out, and it goes on in no other way."""
    shutil.copytree(HERE / "1.0" / "node", tmp_path / "w")
    (tmp_path / "w").chmod(0o700)
    status, log = run_coopy("status", tmp_path / "w").output, run_coopy("log", tmp_path / "w").output
    assert "of the cluster whose stream is coopy-word" in status
    assert "left out  LSN 2" in status
    assert [line.split()[3] for line in log.splitlines()] == [
        "returned",
        "skipped",
        "raised",
        "returned",
        "returned",
        "skipped",
        "returned",
    ]
    for command in ("check", "verify"):
        assert run_coopy(command, tmp_path / "w").exit_code == 0
    found = restore(Word, tmp_path / "w")
    assert (found.text, found.kept) == ("abc-d", [{"list": [1, (2.5, None)], "zeros": bytes(600)}])
    with pytest.raises(UsageError, match="cluster="):
        init_system(Word, tmp_path / "w")
    with control(init_system(found, tmp_path / "alone")) as word:
        assert word.add("e") == "abc-de"


def test_there_are_fossils() -> None:
    """Of this format: closed, signed and killed."""
    assert {path.name for path in FOSSILS if path.parent.name == "1.0"} == {"closed", "killed", "signed"}


@pytest.mark.parametrize("name", ["first", "second"])
def test_a_directory_of_former_classes_opens_with_todays(name: str, tmp_path: Path) -> None:
    """Renamed classes and methods, moved modules, other parameters, other states, exceptions and members that have another name or are gone."""
    shutil.copytree(Path(__file__).parent / "changed-1.0" / name, tmp_path / "w")
    (tmp_path / "w").chmod(0o700)
    found = rehearse(tmp_path / "w", Library)
    assert found.safe, str(found)
    for _ in range(2):
        with control(init_system(Library, tmp_path / "w")) as library:
            assert library.shown() == SHOWN[name]
            assert library.name == "old"
            control(library).take_snapshot()


SHOWN = {
    "first": [
        ("a", "yyy", 1903, "a by yyy", "green", 3, 2), ("a", "yyy", 1903, "a by yyy", "green", 3, 2),
        ("b", "xx", 1902, "b by xx", "green", 3, 2), ("b by xx", "?", 1, "b by xx", "red", 1, 1),
    ],
    "second": [
        *[("a", "yyy", 1903, "a by yyy", "green", 3, 2)] * 2, *[("b", "xx", 1902, "b by xx", "green", 3, 2), ("b by xx", "x", 1901, "b by xx", "green", 3, 2)],
        ("e", "x", 1901, "e", "green", 3, 2),
    ],
}  # fmt: skip
