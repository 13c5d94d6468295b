"""The plain types, without the plugin: four checkers read the same files in `plain/` and give the same answers.

A line that ends in `# error` has an error in each of them; one that ends in `# error in mypy, ty` in these alone. All other lines are silent, so that
every `assert_type` holds in each.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

PLAIN = Path(__file__).parent / "plain"
FILES = sorted(map(str, PLAIN.glob("*.py")))
BIN = Path(sys.executable).parent  # the development extra puts the checkers beside the interpreter
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
MARKER = re.compile(r"  # error(?: in (?P<checkers>[a-z, ]+))?$")
REPORT = re.compile(r"^(?P<file>[^:\n]+):(?P<line>\d+):(?:\d+:)? error(?P<said>[:\[].*)$", re.MULTILINE)

Place = tuple[str, int]  # file and line
Reports = dict[Place, str]  # what was said there last


def run(tool: str, *args: str, cwd: Path) -> str:
    """What the checker prints. 1 says that it ran and found errors, as each of them must."""
    done = subprocess.run([str(BIN / tool), *args], capture_output=True, text=True, check=False, cwd=cwd)
    assert done.returncode == 1, f"{tool} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


def reports_of(text: str) -> Reports:
    return {(Path(one["file"]).name, int(one["line"])): one["said"] for one in REPORT.finditer(text)}


def mypy(folder: Path) -> Reports:
    (folder / "mypy.ini").write_text("[mypy]\nstrict = True\n")
    return reports_of(run("mypy", "--cache-dir", str(folder), "--python-executable", sys.executable, *FILES, cwd=folder))


def pyright(folder: Path) -> Reports:
    config = {"typeCheckingMode": "strict", "include": [str(PLAIN)], "pythonVersion": PYTHON, "reportUnusedExpression": False}
    (folder / "pyrightconfig.json").write_text(json.dumps(config))
    said = json.loads(run("basedpyright", "--outputjson", "--pythonpath", sys.executable, "-p", str(folder), cwd=folder))
    errors: list[dict[str, Any]] = [one for one in said["generalDiagnostics"] if one["severity"] == "error"]
    return {(Path(one["file"]).name, one["range"]["start"]["line"] + 1): one["message"] for one in errors}


def pyrefly(folder: Path) -> Reports:
    config = folder / "pyrefly.toml"
    config.write_text('preset = "strict"\n[errors]\nmissing-override-decorator = false\n')
    options = ["--config", str(config), "--python-interpreter-path", sys.executable, "--output-format", "json"]
    errors = json.loads(run("pyrefly", "check", *options, *FILES, cwd=folder))["errors"]
    return {(Path(one["path"]).name, one["line"]): one["description"] for one in errors if one["severity"] == "error"}


def ty(folder: Path) -> Reports:
    options = ["--python", sys.executable, "--python-version", PYTHON, "--output-format", "concise"]
    return reports_of(run("ty", "check", *options, *FILES, cwd=folder))


CHECKERS: dict[str, Callable[[Path], Reports]] = {"mypy": mypy, "pyright": pyright, "pyrefly": pyrefly, "ty": ty}


def expected_of(checker: str) -> set[Place]:
    """The lines that say that this checker reports an error there."""
    places: set[Place] = set()
    for file in map(Path, FILES):
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if (marker := MARKER.search(line)) is not None:
                named = set(marker["checkers"].split(", ")) if marker["checkers"] else CHECKERS.keys()
                assert named <= CHECKERS.keys(), f"{file.name}:{number} names a checker that is not here"
                if checker in named:
                    places.add((file.name, number))
    return places


@pytest.mark.parametrize("checker", CHECKERS)
def test_every_checker_reports_the_marked_lines_and_no_other(checker: str, tmp_path: Path) -> None:
    """Each file at once, in one process."""
    reports, expected = CHECKERS[checker](tmp_path), expected_of(checker)
    wrong = [f"{file}:{line}: nothing is reported" for file, line in sorted(expected - reports.keys())]
    wrong += [f"{file}:{line}: {reports[file, line]}" for file, line in sorted(reports.keys() - expected)]
    assert not wrong, "\n".join(wrong)
