"""The documentation as a whole: nothing in it is left out, and what it names exists."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from coopy.cli.group import COMMANDS, main
from tests.page import examples

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs" / "api").glob("*.md"))]
RUN = {"python", "pycon", "console", "toml"}
SHOWN = {"text", "yaml", "sh", "{eval-rst}", "{include}", "{literalinclude}", "{note}", "{toctree}"}  # nothing in them could be run here
SKIPPED = {  # by page: how many directives, and why
    "cluster.md": 2,  # servers on other machines, certificates
    "migration.md": 1,  # what only coopy 0.7.0 can do; what it made lies in tests/pages/migration
    "replication.md": 2,  # begin and end of what is about certificates and hosts
    "typing.md": 2,  # begin and end of what is generated: tests/typing runs that
}


def test_every_example_of_a_page_is_run() -> None:
    """Whatever stands between fences is run, or of a kind that nothing could run. What is skipped is counted here."""
    for page in PAGES:
        text = page.read_text()
        regions = [region for _, region in examples.parse(page).regions]
        for fence in re.finditer(r"^ *```([\w{}-]+)", text, re.MULTILINE):
            assert fence[1] in RUN | SHOWN, f"{page.name}: {fence[1]}"
            if fence[1] in RUN:
                assert any(fence.start() <= region.start < text.index("```", fence.end()) for region in regions), (
                    f"{page.name}: {text[fence.start() :][:80]}"
                )
        assert len(re.findall(r"<!-- skip: ", text)) == SKIPPED.get(page.name, 0), page.name


@pytest.mark.parametrize(
    "module",
    ["coopy", "coopy.aio", "coopy.prometheus", "coopy.serve", "coopy.testing", "coopy.validation", "coopy.difference", "coopy.error"],
)
def test_every_public_name_is_in_the_reference(module: str) -> None:
    """Each name of `__all__`, on the page of its module."""
    page = (ROOT / "docs" / "api" / f"{module.removeprefix('coopy.')}.md").read_text()
    for name in importlib.import_module(module).__all__:
        assert re.search(rf"{module}\.{name}\b|`{name}\[T\]`", page), name


def test_every_command_is_in_the_table() -> None:
    """With what it does, on the page of the command."""
    page = (ROOT / "docs" / "operations.md").read_text()
    for name in COMMANDS:
        assert re.search(rf"^\| `coopy {name}\b", page, re.MULTILINE), name


def options_of(name: str) -> set[str]:
    """The options that a command has, or the commands of a group."""
    command = main.get_command(None, name)  # type: ignore[arg-type]
    assert command is not None
    commands = command.commands.values() if isinstance(command, click.Group) else [command]
    return {option for one in commands for parameter in one.params for option in parameter.opts}


def test_every_command_that_is_spoken_of_exists() -> None:
    """In errors, docstrings and pages: the command, and each of its options."""
    texts = [*(ROOT / "coopy").rglob("*.py"), *(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CHANGELOG.md"]
    found = 0
    for path in texts:
        for name, rest in re.findall(r"`{1,2}coopy ([a-z]+)([^`\n]*)`", path.read_text()):
            if name == "signing":  # a text in the format of files
                continue
            found += 1
            assert name in COMMANDS, f"{path}: coopy {name}"
            if name != "validate":
                for option in re.findall(r"--[a-z-]+", rest):
                    assert option in options_of(name), f"{path}: coopy {name} {option}"
    assert found > 30


def test_importing_coopy_loads_nothing_heavy() -> None:
    """Neither what only the command line needs, nor what waits for an option, a value of its own class, or something to be said."""
    heavy = "libcst mypy asyncio ssl socket scramp nats urllib.request click rich zstandard subprocess tempfile"
    heavy += " logging traceback fractions zoneinfo signal secrets hmac coopy.engine.following coopy.engine.ordered"
    check = f"import sys; from coopy import init_system; print(*[name for name in '{heavy}'.split() if name in sys.modules])"
    unmeasured = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}  # that loads some of them itself
    ran = subprocess.run([sys.executable, "-c", check], cwd=ROOT, env=unmeasured, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""


@pytest.mark.parametrize("page", ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_links_from_outside_of_the_documentation_lead_somewhere(page: str) -> None:
    """Of those inside of it Sphinx sees to that."""
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (ROOT / page).read_text())
    assert [link for link in links if not (ROOT / link).exists()] == []


FIGURES = {  # what the comparison says of whom: where the benchmarks say it
    "14 times SQLite's": ("queries, 1 thread", "SQLite", -1),
    "8 times its sync writes with 32 threads": ("sync actions, 32 threads", "SQLite", -1),
    "1.9 times with one": ("sync actions, 1 thread", "SQLite", -1),
    "2.8 times with one thread": ("sync actions, 1 thread", "ZODB", -1),
    "14 times with 32": ("sync actions, 32 threads", "ZODB", -1),
    "80 bytes for the benchmark's call": ("journal bytes per action", "coopy", -2),
    "against 506": ("journal bytes per action", "ZODB", -2),
}


@pytest.mark.parametrize("said", FIGURES)
def test_figures_of_the_comparison_are_those_of_the_benchmarks(said: str) -> None:
    """A new run changes the one page; this says where the other is to follow."""
    what, who, column = FIGURES[said]
    assert said in " ".join((ROOT / "docs/comparison.md").read_text().split())
    benchmarks = (ROOT / "docs/benchmarks.md").read_text()
    group = benchmarks.partition("**Beside others**")[2].partition(f"| {what} |")[2].partition("**")[0]
    (row,) = [
        cells for line in group.splitlines()[:8] if (cells := [one.strip() for one in line.strip("|").split("|")]) and who in cells[:2]
    ][:1]
    number = re.search(r"[\d.]+", said)
    assert number is not None
    assert row[column] == number[0]
