"""validate_system: the seed's own examples, wrong and right."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING, Any

import pytest

from coopy.error import PrevalentError
from coopy.validation import validate_system

if TYPE_CHECKING:
    from pathlib import Path

WIKI = """
from datetime import datetime


class WikiPage:
    def __init__(self, id, content):
        self.id, self.content, self.last_modify = id, content, {when}


class Wiki:
    def __init__(self):
        self.pages = {{}}

    def create_page(self, page_id, content):
        self.pages[page_id] = WikiPage(page_id, content)
"""


def load(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module of a text."""
    path = folder / "wiki.py"
    path.write_text(text)
    monkeypatch.setenv("COOPY_CACHE", str(folder / "cache"))
    spec = importlib.util.spec_from_file_location("wiki", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "wiki", module)
    spec.loader.exec_module(module)
    return module


def test_a_clock_reached_through_a_constructor_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wiki = load(tmp_path, WIKI.format(when="datetime.now()"), monkeypatch)
    with pytest.raises(PrevalentError, match=r"Wiki cannot be replayed(.|\n)*datetime\.now\(\)(.|\n)*Wiki\.create_page") as caught:
        validate_system(wiki.Wiki())
    assert [one.rule for one in caught.value.findings] == ["CPY101"]  # type: ignore[attr-defined]


def test_the_time_of_the_action_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "from coopy import clock\n" + WIKI.format(when="clock.now()")
    assert validate_system(load(tmp_path, text, monkeypatch).Wiki) is True


def test_a_class_in_a_function_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "def make():\n    class Wiki:\n        def act(self):\n            from datetime import date\n            self.at = date.today()\n    return Wiki\n"
    with pytest.raises(PrevalentError, match="today"):
        validate_system(load(tmp_path, text, monkeypatch).make())


def test_a_class_without_source_is_a_warning() -> None:
    names: dict[str, Any] = {"__name__": "nowhere"}
    exec("class Domain:\n    def act(self):\n        return 1\n", names)  # noqa: S102 - that is the case
    with pytest.warns(RuntimeWarning, match="was not checked"):
        assert validate_system(names["Domain"]) is True
