"""A rule's examples are its tests: every bad one is reported where it says so, and nothing else; no good one is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coopy.catalogue import COMPILED, SOURCE, compiled, load
from coopy.validation.cache import Cache
from coopy.validation.findings import CATEGORIES
from coopy.validation.rules import RULES, Rule
from coopy.validation.run import Options, run
from coopy.validation.source import Sources

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLES = [(rule, text) for rule in RULES for text in (*rule.bad, *rule.good)]


@pytest.mark.parametrize(("rule", "text"), EXAMPLES, ids=[f"{rule.code}-{index}" for index, (rule, _) in enumerate(EXAMPLES)])
def test_examples_are_judged_as_they_say(rule: Rule, text: str, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(text)
    outcome = run(Sources([str(tmp_path)], Cache(None)), Options(("app:Domain",)))
    expected = {(number, rule.category) for number, line in enumerate(text.split("\n"), 1) if line.endswith("# bad")}
    assert {(one.line, one.category) for one in outcome.findings} == expected
    assert bool(expected) == (text in rule.bad)


def test_every_category_has_one_rule() -> None:
    assert len({rule.code for rule in RULES}) == len({rule.category for rule in RULES}) == len(RULES)
    assert set(load().categories) <= CATEGORIES


def test_the_compiled_catalogue_is_that_of_the_toml() -> None:
    """If this fails: python -m coopy.catalogue"""
    assert COMPILED.read_bytes() == compiled(SOURCE.read_text(encoding="utf-8"))
