"""What the validator sees of the language: little programs, whose lines that must be reported say so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from coopy.validation.cache import Cache
from coopy.validation.link.analysis import Analysis
from coopy.validation.run import Options, run
from coopy.validation.source import Sources

_PROGRAMS = Path(__file__).with_name("programs")
_BAD = re.compile(r"# bad ([a-z -]+)$")


def read_programs() -> list[tuple[str, dict[str, str]]]:
    """Name and files of each program."""
    out = []
    for path in sorted(_PROGRAMS.glob("*.txt")):
        for part in path.read_text().split("=== ")[1:]:
            name, _, body = part.partition("\n")
            files = re.split(r"^--- (.*)\n", body, flags=re.MULTILINE)
            named = dict(zip(files[1::2], files[2::2], strict=True)) if len(files) > 1 else {"app.py": body}
            out.append((f"{path.stem}: {name}", named))
    return out


def expected(files: dict[str, str]) -> set[tuple[str, int, str]]:
    """Place and category of every line that says it is bad."""
    return {
        (name, number, category)
        for name, text in files.items()
        for number, line in enumerate(text.split("\n"), 1)
        if (match := _BAD.search(line)) and "coopy:" not in line
        for category in match[1].split()
    }


PROGRAMS = read_programs()


@pytest.mark.parametrize("files", [files for _, files in PROGRAMS], ids=[name for name, _ in PROGRAMS])
def test_exactly_the_bad_lines_are_reported(files: dict[str, str], tmp_path: Path) -> None:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    named = () if re.search(r"\binit_(persistent_)?system\b|\baio\b", files["app.py"]) else ("app:Domain",)
    outcome = run(Sources([str(tmp_path)], Cache(None)), Options(named))
    assert not outcome.problems
    found = {(str(Path(one.path).relative_to(tmp_path)), one.line, one.category) for one in outcome.findings if one.category != "pragma"}
    assert found == expected(files)


def test_no_two_layers_of_the_interpreter_define_the_same_name() -> None:
    """One would silently replace the other; only what a layer leaves to those above it, or calls by `super`, may come twice."""
    seen: dict[str, str] = {}
    for layer in reversed(Analysis.__mro__[:-1]):
        for name, member in vars(layer).items():
            used = getattr(getattr(member, "__code__", None), "co_names", ())
            if callable(member) and name != "__init__" and not {"NotImplementedError", "super"} & set(used):
                assert name not in seen, f"{name} of {seen.get(name)} and {layer.__name__}"
                seen[name] = layer.__name__
