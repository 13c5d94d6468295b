"""The parts of docs/benchmarks.md that a run writes, each between two marks; and the command line of those who write one table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.benchmarks.environments import ROOT
from tests.benchmarks.report import to_markdown

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from tests.benchmarks.report import Table

__all__ = ["run", "write_part"]

PAGE = ROOT / "docs" / "benchmarks.md"


def run(
    name: str, parser: argparse.ArgumentParser, measure: Callable[[argparse.Namespace], Table | tuple[Table, ...]], rounds: int = 3
) -> int:
    """Measure as the command line says (`quick`, `rounds`, and what the parser knows besides), print the tables, perhaps write them. Gives the exit status."""
    parser.add_argument("--quick", action="store_true", help="one short round: whether it runs, not how fast it is")
    parser.add_argument("--rounds", type=int, default=rounds, help=f"how often everything is measured (default {rounds})")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    arguments = parser.parse_args()
    (ROOT / "build").mkdir(exist_ok=True)
    found = measure(arguments)
    text = "\n\n".join(map(to_markdown, found if isinstance(found, tuple) else (found,)))
    print(f"\n{text}")
    if arguments.write:
        write_part(name, text)
    return 0


def write_part(name: str, text: str) -> None:
    """Replace one part of the page."""
    begin, end = f"<!-- {name}: written by make bench -->", f"<!-- end of {name} -->"
    page = PAGE.read_text()
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    PAGE.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}")
