"""The labelled corpus: every bad case is found, no line is reported that no label names. `oracle.py` proves the labels, on demand.

`own/` holds what the validator once got wrong, and the twin of each that is like it and right.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from coopy.validation.cache import Cache
from coopy.validation.run import Options, run
from coopy.validation.source import Sources

_HERE = Path(__file__).parent
CASES: list[tuple[Path, dict[str, Any]]] = [
    (folder, case) for folder in (_HERE, _HERE / "own") for case in json.loads((folder / "manifest.json").read_text())["cases"]
]


@pytest.mark.parametrize(("corpus", "case"), CASES, ids=[case["id"] for _, case in CASES])
def test_what_is_reported_is_what_the_label_says(corpus: Path, case: dict[str, Any]) -> None:
    folder = (corpus / "cases" / case["id"]).resolve()
    outcome = run(Sources([str(folder)], Cache(None)), Options((case["domain"],)))
    assert not outcome.problems
    found = {(Path(one.path).relative_to(folder).as_posix(), one.line, one.category) for one in outcome.findings}
    allowed = set()
    for expected in case["expected"]:
        places = {(place["file"], place["line"]) for place in (expected, *expected.get("accept_lines", []))}
        categories = {expected["category"], *expected.get("accept_categories", [])}
        assert any((path, line) in places and category in categories for path, line, category in found), expected
        allowed |= places
    assert not {(path, line) for path, line, _ in found} - allowed
