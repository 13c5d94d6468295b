"""`python -m coopy.validate PATH...`: is this domain replayable? The command: options in, report and exit status out.

0   nothing to report, or warnings only
1   errors; with --diff also: something would change
2   something could not be analysed or written; outranks 1
"""

from __future__ import annotations

import argparse
import atexit
import gc
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coopy.error import UsageError
from coopy.project import project_at
from coopy.validation import report
from coopy.validation.cache import Cache, default_folder
from coopy.validation.findings import CATEGORIES, CODES, Selection
from coopy.validation.fix import diff, plan, write
from coopy.validation.quote import relative
from coopy.validation.rules import NOTICES, RULES
from coopy.validation.rules.page import as_text
from coopy.validation.run import Options, run
from coopy.validation.source import SourceError, Sources
from coopy.validation.summary import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coopy.validation.fix import Plan
    from coopy.validation.run import Outcome


class Progress:
    """A bar for a run that takes longer than PATIENCE seconds. Only then rich is loaded."""

    PATIENCE = 0.5

    def __init__(self, patience: float = PATIENCE) -> None:
        self._until = time.monotonic() + patience
        self._bar: Any = None
        self._task: Any = None

    def __call__(self, done: int, total: int) -> None:
        """So many files are parsed."""
        if self._bar is None and done < total and time.monotonic() >= self._until:
            from rich.console import Console
            from rich.progress import Progress as Bar

            self._bar = Bar(console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task("parsing", total=total)
            self._bar.start()
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total)
            if done >= total:
                self._bar.stop()


def command(arguments: Sequence[str] | None = None) -> int:
    """Run the command in a process that ends with it: the collector stays off. The exit status."""
    gc.disable()  # a run keeps what it makes: looking for what could go would take a quarter of its time
    atexit.register(gc.freeze)  # and looking through it all when the process ends a tenth
    return main(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command in a process that goes on; the exit status."""
    given = _parser().parse_args(arguments)
    if given.explain:
        return _explain(given.explain)
    try:
        settings = _settings()
        options = _options(given, settings)
        cache = Cache(None if given.no_cache else given.cache_dir or default_folder(settings.get("cache")))
        paths = given.paths or settings.get("paths", ["."])
        sources = Sources(paths, cache)
        outcome = run(sources, options)
        if given.diff or given.fix:
            planned = plan(outcome.findings, sources)
            _comment_plan(planned)
            if given.diff:
                return _show(planned, outcome)
            _carry_out(planned)
            outcome = run(Sources(paths, cache), options) if planned.changes else outcome
    except SourceError as error:
        return _refuse(str(error), given.format)
    sys.stdout.write(report.FORMATS[given.format](outcome.findings, outcome.problems) + "\n")
    _comment(outcome, given)
    return _status(outcome)


def _status(outcome: Outcome) -> int:
    return 2 if outcome.problems else int(any(one.severity == "error" for one in outcome.findings))


def _show(planned: Plan, outcome: Outcome) -> int:
    """The diff, and nothing else on standard output."""
    sys.stdout.write(diff(planned.changes))
    return _status(outcome) or int(bool(planned.changes))


def _carry_out(planned: Plan) -> None:
    """Write the files, one after the other; each is whole at any time."""
    for one in planned.changes:
        try:
            write(one)
        except OSError as error:
            raise SourceError(f"{relative(one.path)} cannot be written ({error.strerror}); it is as it was") from None


def _comment_plan(planned: Plan) -> None:
    for finding, why in planned.left:
        sys.stderr.write(f"{relative(finding.path)}:{finding.line}:{finding.column}: {finding.name} is left: {why}\n")
    count = sum(one.fixed for one in planned.changes)
    sys.stderr.write(f"{count} calls in {len(planned.changes)} files have an exact counterpart in coopy\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m coopy.validate", description="Find what a domain reaches that replay cannot repeat.")
    parser.add_argument("paths", nargs="*", metavar="PATH", help="a file, a folder, or the name of a package; nothing is ever imported")
    parser.add_argument("--domain", action="append", default=[], metavar="MODULE:CLASS", help="a domain class (may be repeated)")
    parser.add_argument("--format", choices=sorted(report.FORMATS), default="text")
    parser.add_argument("--select", action="append", default=[], metavar="RULES", help="only these codes or categories, with commas")
    parser.add_argument("--ignore", action="append", default=[], metavar="RULES", help="not these codes or categories, with commas")
    parser.add_argument("--fix", action="store_true", help="replace the calls that have an exact counterpart in coopy")
    parser.add_argument("--diff", action="store_true", help="show what --fix would change, and change nothing")
    parser.add_argument("--explain", metavar="CODE", help="what a rule is about, with examples")
    parser.add_argument("--statistics", action="store_true", help="how much of the program was seen")
    parser.add_argument("--no-cache", action="store_true", help="parse everything again, keep nothing")
    parser.add_argument("--cache-dir", metavar="FOLDER")
    parser.add_argument(
        "--jobs",
        type=int,
        default=0,
        metavar="N",
        help="processes that parse, beside one that links; 1: one does all; 0: as many as there are processors",
    )
    return parser


def _settings() -> dict[str, Any]:
    """[tool.coopy] of the pyproject.toml in the working directory or above."""
    try:
        project = project_at(Path.cwd())
    except UsageError as error:
        raise SourceError(str(error)) from None
    return project.settings if project is not None else {}


def _options(given: argparse.Namespace, settings: dict[str, Any]) -> Options:
    domains = given.domain or settings.get("domains", [])
    select, ignore = _rules(given.select or settings.get("select", [])), _rules(given.ignore or settings.get("ignore", []))
    return Options(tuple(domains), Selection(select, ignore), given.jobs, Progress() if sys.stderr.isatty() else _silent)


def _silent(_done: int, _total: int) -> None:
    """Nobody is looking."""


def _rules(words: list[str]) -> tuple[str, ...]:
    """Codes and categories; one that does not exist is refused by name."""
    names = tuple(name.strip() for word in words for name in word.split(",") if name.strip())
    for name in names:
        if name not in CATEGORIES and name not in ("ALL", "pragma") and not any(code.startswith(name) for code in CODES):
            raise SourceError(f"there is no rule {name}. Known are: {', '.join(f'{one.code} {one.category}' for one in RULES)}")
    return names


def _explain(name: str) -> int:
    """The page of a rule, or of all of a category."""
    found = [as_text(one) for one in (*RULES, *NOTICES) if name in (one.code, one.category)]
    if not found:
        return _refuse(f"there is no rule {name}", "text")
    sys.stdout.write("\n\n".join(found) + "\n")
    return 0


def _refuse(message: str, kind: str) -> int:
    if kind in ("json", "sarif"):
        sys.stdout.write(report.FORMATS[kind]([], [Problem("", 0, 0, message)]) + "\n")
    sys.stderr.write(f"{message}\n")
    return 2


def _comment(outcome: Outcome, given: argparse.Namespace) -> None:
    """What is said beside the report."""
    for note in outcome.notes:
        sys.stderr.write(f"{note}\n")
    if given.format == "text":
        errors = sum(one.severity == "error" for one in outcome.findings)
        warnings = len(outcome.findings) - errors
        found = f"{_counted(errors, 'error')}, {_counted(warnings, 'warning')} in {_counted(len(outcome.domains), 'domain')}"
        size = f"{_counted(outcome.files, 'file')}, {_counted(outcome.lines, 'line')}"
        sys.stderr.write(f"{found} ({', '.join(outcome.domains)}), {size}\n")
    if given.statistics:
        for name, one in zip(outcome.domains, outcome.statistics, strict=True):
            calls = one.resolved + one.unresolved
            share = 100 * one.resolved / calls if calls else 100.0
            bounded = f"; {one.bounded} cut short" if one.bounded else ""
            words = f"{name}: {one.contexts} calls of functions analysed{bounded}; {one.resolved} of {calls} call sites resolved"
            sys.stderr.write(f"{words} ({share:.1f} %)\n")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


if __name__ == "__main__":
    sys.exit(command())
