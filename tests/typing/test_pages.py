"""The documentation of the codes is what mypy says of the examples today."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from coopy.mypy_plugin.codes import TOPICS, Topic
from coopy.mypy_plugin.page import outputs, page, with_codes

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def output() -> dict[str, list[str]]:
    return outputs()


def test_the_pages_are_as_written_by_the_generator(output: dict[str, list[str]]) -> None:
    """`python -m coopy.mypy_plugin.page docs` writes them."""
    overview = (DOCS / "typing.md").read_text(encoding="utf-8")
    assert with_codes(overview, output) == overview
    for topic in TOPICS:
        assert (DOCS / "typing" / f"{topic.code.code}.md").read_text(encoding="utf-8") == page(topic, output)
    assert {path.stem for path in (DOCS / "typing").glob("*.md")} == {topic.code.code for topic in TOPICS}


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: str(topic.code.code))
def test_an_example_is_reported_where_it_says_so_and_its_counterpart_nowhere(topic: Topic, output: dict[str, list[str]]) -> None:
    name = topic.code.code.replace("-", "_")
    lines = [int(line.split(":")[1]) for line in output[f"{name}_bad"] if line.endswith(f"[{topic.code.code}]")]
    assert lines == [number for number, line in enumerate(topic.bad.splitlines(), 1) if line.endswith("# here")]
    assert len(lines) == len(output[f"{name}_bad"])
    assert output[f"{name}_good"] == []


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: str(topic.code.code))
def test_what_is_fine_runs(topic: Topic, tmp_path: Path) -> None:
    """The counterparts are programs; one is a replica, and has no primary here."""
    (tmp_path / "messages.txt").write_text("a\nb\n")
    (tmp_path / "app.py").write_text(topic.good)
    ran = subprocess.run([sys.executable, "app.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    if topic.code.code == "coopy-replica":
        assert "none could be had from the primary at 127.0.0.1:5466" in ran.stderr
    else:
        assert (ran.returncode, ran.stderr) == (0, "")
