"""The parts of docs/benchmarks.md that a run writes, each between two marks."""

from __future__ import annotations

from tests.benchmarks.environments import ROOT

__all__ = ["write_part"]

PAGE = ROOT / "docs" / "benchmarks.md"


def write_part(name: str, text: str) -> None:
    """Replace one part of the page."""
    begin, end = f"<!-- {name}: written by make bench -->", f"<!-- end of {name} -->"
    page = PAGE.read_text()
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    PAGE.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}")
