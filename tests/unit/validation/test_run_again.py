"""A run of files that have not changed says what the first one has found; whatever changes is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coopy.validation import run as running
from coopy.validation.cache import Cache
from coopy.validation.findings import Selection
from coopy.validation.run import DomainError, Options, run
from coopy.validation.source import Sources

if TYPE_CHECKING:
    from pathlib import Path

APP = "from tools import now\nclass Domain:\n    def act(self):\n        self.at = now()\n"
ALL = Selection()
LATE = "import time\ndef now():\n    return time.time()\n"
CALM = "def now():\n    return 3\n"


def again(folder: Path, selection: Selection = ALL, domain: str = "app:Domain") -> list[str]:
    """What a run finds, by category."""
    sources = Sources([str(folder / "src")], Cache(str(folder / "cache")))
    return [one.category for one in run(sources, Options((domain,), selection)).findings]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A program with a hazard, analysed once."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").write_text(APP)
    (tmp_path / "src" / "tools.py").write_text(LATE)
    assert again(tmp_path) == ["clock"]
    return tmp_path


def test_an_unchanged_program_is_not_analysed_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_run", None)
    assert again(folder) == ["clock"]


def test_a_changed_file_is_seen(folder: Path) -> None:
    (folder / "src" / "tools.py").write_text(CALM)
    assert again(folder) == []
    (folder / "src" / "tools.py").write_text(LATE)
    assert again(folder) == ["clock"]


def test_a_new_file_that_takes_the_place_of_a_module_is_seen(folder: Path) -> None:
    (folder / "src" / "time.py").write_text("def time():\n    return 3\n")
    (folder / "src" / "tools").mkdir()
    (folder / "src" / "tools" / "__init__.py").write_text(CALM)
    assert again(folder) == []


def test_a_file_that_is_gone_is_seen(folder: Path) -> None:
    (folder / "src" / "tools.py").unlink()
    assert again(folder) == []


def test_other_options_are_another_run(folder: Path) -> None:
    assert again(folder, Selection(ignore=("clock",))) == []
    with pytest.raises(DomainError):
        again(folder, domain="app:Other")


def test_a_file_that_cannot_be_analysed_is_said_again(folder: Path) -> None:
    (folder / "src" / "zz.py").write_text("def broken(:\n")
    for _ in range(2):
        outcome = run(Sources([str(folder / "src")], Cache(str(folder / "cache"))), Options(("app:Domain",)))
        assert [one.path.rpartition("/")[2] for one in outcome.problems] == ["zz.py"]
