"""What the page about operations shows is what the command says. `…` stands for what is another each time."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from coopy.cli.group import COMMANDS, main

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text()


def run(arguments: list[str], where: Path) -> str:
    """In a shell in this directory, with both outputs as they come."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, *arguments]
    ran = subprocess.run(
        command,
        cwd=where,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return ran.stdout


def test_the_page_shows_what_the_command_says(tmp_path: Path) -> None:
    """Line by line, in the order of the page."""
    domain, program = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "garden.py").write_text(domain)
    assert run(["-c", program], tmp_path) == ""
    shown = "".join(re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL))
    for command, expected in re.findall(r"^\$ coopy (.*)\n((?:[^$].*\n)*)", shown, re.MULTILINE):
        said = run(["-m", "coopy", *shlex.split(command)], tmp_path)
        pattern = re.escape(expected).replace("…", ".*?")
        assert re.fullmatch(pattern, said, re.DOTALL), f"{command}\n{said}"


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
