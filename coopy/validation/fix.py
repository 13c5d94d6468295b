"""`--fix` and `--diff`: findings whose remedy is certain -> new texts of files, written one file at a time, whole or not at all.

Which calls are certain is `rewriting/table.py`; everything else stays as it is and stays a finding. Only files that were named are written.
"""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from coopy import catalogue
from coopy.validation.quote import relative
from coopy.validation.rewriting.table import TARGETS
from coopy.validation.text import UnreadableError, decode, spelling
from coopy.validation.verdict import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from coopy.validation.source import Sources

_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_SEEDS = re.compile(r"\brandom\.seed\b|\bfrom\s+random\s+import\b[^\n]*\bseed\b")


class Change(msgspec.Struct, frozen=True):
    """A file and its content before and after; both as stored. `fixed`: how many findings that settles."""

    path: str
    before: bytes
    after: bytes
    fixed: int


class Plan(msgspec.Struct, frozen=True):
    """What would be changed, and which calls with a counterpart are left, each with the reason."""

    changes: list[Change]
    left: list[tuple[Finding, str]]


def plan(findings: Iterable[Finding], sources: Sources) -> Plan:
    """The changes that settle what can be settled. Writes nothing."""
    names = catalogue.load().canonical
    by_file: dict[str, list[Finding]] = {}
    for one in findings:
        if names(one.name) in TARGETS and one.path in sources.files:
            by_file.setdefault(one.path, []).append(one)
    changes: list[Change] = []
    left: list[tuple[Finding, str]] = []
    others = _Others(sources)
    for path in sorted(by_file):
        change, rest = _plan_file(path, by_file[path], others)
        left += rest
        if change is not None:
            changes.append(change)
    return Plan(changes, left)


def _plan_file(path: str, findings: list[Finding], others: _Others) -> tuple[Change | None, list[tuple[Finding, str]]]:
    from coopy.validation.rewriting.tree import Wanted, rewrite

    names = catalogue.load().canonical
    data = Path(path).read_bytes()
    try:
        encoding, mark = spelling(data)
        text = data[len(mark) :].decode(encoding)
        decode(data)
    except UnreadableError as error:
        return None, [(one, error.message) for one in findings]
    seeded = [one for one in findings if names(one.name).startswith("random.") and others.seed()]
    wanted = {(one.line, one.column): Wanted(names(one.name), one.own) for one in findings if one not in seeded}
    result = rewrite(text, wanted, lambda name: others.use(path, name))
    left = [(one, "the program seeds the random numbers") for one in seeded]
    left += [(one, result.left[one.line, one.column]) for one in findings if (one.line, one.column) in result.left]
    if not result.done:
        return None, left
    return Change(path, data, mark + result.text.encode(encoding), len(result.done)), left


class _Others:
    """What the other files of the program say: whether they use a name of a file, and whether they seed random numbers."""

    def __init__(self, sources: Sources) -> None:
        self._paths = sources.files
        self._texts: dict[str, str] | None = None

    def _all(self) -> dict[str, str]:
        if self._texts is None:
            self._texts = {}
            for path in self._paths:
                try:
                    self._texts[path] = decode(Path(path).read_bytes())
                except (OSError, UnreadableError):
                    self._texts[path] = ""  # reported as a problem by the run
        return self._texts

    def seed(self) -> bool:
        """Whether any file calls random.seed: its numbers are no accident then."""
        return any(_SEEDS.search(text) for text in self._all().values())

    def use(self, path: str, name: str) -> bool:
        """Whether another file takes a name from this module, or may do so; a package's own file is there to be taken from."""
        module = Path(path).stem
        if module == "__init__":
            return True
        taken = re.compile(
            rf"\b{module}\s*\.\s*{name}\b|\b{module}\s+import\b(?:[^\n(]*|\s*\([^)]*)(?:\b{name}\b|\*)|\b{module}\s+as\s+(\w+)(?s:.)*?\b\1\.{name}\b"
        )
        return any(taken.search(text) for other, text in self._all().items() if other != path)


def diff(changes: Sequence[Change]) -> str:
    """A unified diff, as patch and git take it."""
    out: list[str] = []
    for one in changes:
        encoding, mark = spelling(one.before)
        before, after = (_LINES.findall(part[len(mark) :].decode(encoding)) for part in (one.before, one.after))
        name = relative(one.path)
        lines = difflib.unified_diff(before, after, f"a/{name}", f"b/{name}")
        out += [line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines]
    return "".join(out)


def write(change: Change) -> None:
    """Put the new content in the place of the old, at once, with the same permissions. Raises OSError, and then the old one is there."""
    path = Path(change.path)
    partial = path.with_name(f".{path.name}.{os.getpid()}.coopy")
    try:
        with partial.open("wb") as file:
            file.write(change.after)
            file.flush()
            os.fsync(file.fileno())
        partial.chmod(path.stat().st_mode & 0o7777)
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
