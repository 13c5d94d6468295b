"""The documentation as a whole: nothing in it is left out, and what it names exists."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from coopy.cli.group import COMMANDS, main
from tests.page import examples

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs" / "api").glob("*.md"))]
RUN = {"python", "pycon", "console", "toml"}
SHOWN = {"text", "yaml", "sh", "{eval-rst}", "{include}", "{literalinclude}", "{note}", "{toctree}"}  # nothing in them could be run here
SKIPPED = {  # by page: how many directives, and why
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


def options_of(name: str) -> set[str]:
    """The options that a command has."""
    command = main.get_command(None, name)  # type: ignore[arg-type]
    assert command is not None
    return {option for parameter in command.params for option in parameter.opts}


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
    """Neither what only the command line needs, nor what waits for an option."""
    heavy = "libcst mypy asyncio ssl socket scramp nats urllib.request click rich zstandard subprocess tempfile"
    check = f"import sys; from coopy import init_system; print(*[name for name in '{heavy}'.split() if name in sys.modules])"
    unmeasured = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}  # that loads some of them itself
    ran = subprocess.run([sys.executable, "-c", check], cwd=ROOT, env=unmeasured, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""
