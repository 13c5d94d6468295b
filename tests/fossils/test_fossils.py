"""Directories of every released format open, with the state that they had."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from coopy import control, init_system
from tests.fossils.write import KEY
from tests.words import Word

FOSSILS = sorted(
    path for version in Path(__file__).parent.iterdir() if version.is_dir() and version.name[0].isdigit() for path in version.iterdir()
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


def test_there_are_fossils() -> None:
    """Of this format: closed, signed and killed."""
    assert {path.name for path in FOSSILS if path.parent.name == "1.0"} == {"closed", "killed", "signed"}
