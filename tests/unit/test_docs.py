"""The documentation as a whole: nothing in it is left out, and what it names exists."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from coopy.cli.group import COMMANDS, main

ROOT = Path(__file__).parents[2]


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
    heavy = "libcst mypy asyncio ssl socket scramp click rich zstandard subprocess tempfile"
    check = f"import sys; from coopy import init_system; print(*[name for name in '{heavy}'.split() if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""
