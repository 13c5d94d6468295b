"""The pages of the rules: made from the rules, and those in the documentation are what the rules say today."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from coopy.validate import Progress, main
from coopy.validation.rules import NOTICES, RULES
from coopy.validation.rules import page as pages

FOLDER = Path(__file__).parents[3] / "docs" / "rules"


def test_the_pages_in_the_documentation_are_those_of_the_rules() -> None:
    """If this fails: python -m coopy.validation.rules.page docs/rules"""
    assert {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")} == pages.pages()


def test_writing_pages_removes_those_of_rules_that_are_gone(tmp_path: Path) -> None:
    (tmp_path / "CPY999.md").write_text("old")
    pages.main(str(tmp_path))
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == pages.pages()


@pytest.mark.parametrize("code", [one.code for one in (*RULES, *NOTICES)])
def test_every_rule_explains_itself(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--explain", code]) == 0
    out = capsys.readouterr().out
    assert out.startswith(code)
    assert "Instead: " in out


def test_progress_is_a_bar_once_a_run_takes_long(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "rich"]:
        monkeypatch.delitem(sys.modules, name)
    patient: Any = Progress(patience=3600)
    patient(1, 2)
    patient(2, 2)
    assert "rich" not in sys.modules
    shown: Any = Progress(patience=0)
    shown(1, 2)
    shown(2, 2)
    assert "rich" in sys.modules
    assert capsys.readouterr().out == ""
