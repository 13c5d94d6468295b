"""`python -m coopy.validate PATH...`: is this domain replayable? The command: options in, report and exit status out.

0   nothing to report, or warnings only
1   errors
2   something could not be analysed; outranks 1
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coopy.validation import report
from coopy.validation.cache import Cache, default_folder
from coopy.validation.findings import CATEGORIES, CODES, Selection
from coopy.validation.rules import RULES
from coopy.validation.run import Options, run
from coopy.validation.source import SourceError, Sources

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coopy.validation.run import Outcome


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.explain:
        return _explain(given.explain)
    try:
        settings = _settings()
        options = _options(given, settings)
        cache = Cache(None if given.no_cache else given.cache_dir or default_folder(settings.get("cache")))
        sources = Sources(given.paths or settings.get("paths", ["."]), cache)
        outcome = run(sources, options)
    except SourceError as error:
        return _refuse(str(error), given.format)
    sys.stdout.write(report.FORMATS[given.format](outcome.findings, outcome.problems) + "\n")
    _comment(outcome, given)
    if outcome.problems:
        return 2
    return int(any(one.severity == "error" for one in outcome.findings))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m coopy.validate", description="Find what a domain reaches that replay cannot repeat.")
    parser.add_argument("paths", nargs="*", metavar="PATH", help="a file, a folder, or the name of a package; nothing is ever imported")
    parser.add_argument("--domain", action="append", default=[], metavar="MODULE:CLASS", help="a domain class (may be repeated)")
    parser.add_argument("--format", choices=sorted(report.FORMATS), default="text")
    parser.add_argument("--select", action="append", default=[], metavar="RULES", help="only these codes or categories, with commas")
    parser.add_argument("--ignore", action="append", default=[], metavar="RULES", help="not these codes or categories, with commas")
    parser.add_argument("--explain", metavar="CODE", help="what a rule is about, with examples")
    parser.add_argument("--statistics", action="store_true", help="how much of the program was seen")
    parser.add_argument("--no-cache", action="store_true", help="parse everything again, keep nothing")
    parser.add_argument("--cache-dir", metavar="FOLDER")
    parser.add_argument("--jobs", type=int, default=0, metavar="N", help="processes that parse; 0: as many as there are processors")
    return parser


def _settings() -> dict[str, Any]:
    """[tool.coopy] of the pyproject.toml in the working directory or above."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        path = folder / "pyproject.toml"
        if path.is_file():
            try:
                found = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("coopy", {})
            except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
                raise SourceError(f"{path} cannot be read: {error}") from None
            return dict(found) if isinstance(found, dict) else {}
    return {}


def _options(given: argparse.Namespace, settings: dict[str, Any]) -> Options:
    domains = given.domain or settings.get("domains", [])
    select, ignore = _rules(given.select or settings.get("select", [])), _rules(given.ignore or settings.get("ignore", []))
    return Options(tuple(domains), Selection(select, ignore), given.jobs, _progress if sys.stderr.isatty() else _silent)


def _progress(done: int, total: int) -> None:
    """Shown in a terminal only."""
    end = "\n" if done == total else ""
    sys.stderr.write(f"\r{done} of {total} files{end}")


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
    for one in RULES:
        if name in (one.code, one.category):
            parts = [f"{one.code} {one.category}: {one.title} ({one.severity})", one.why, one.fix]
            parts += [f"Reported:\n\n{example}" for example in one.bad] + [f"Fine:\n\n{example}" for example in one.good]
            sys.stdout.write("\n\n".join(parts) + "\n")
            return 0
    return _refuse(f"there is no rule {name}", "text")


def _refuse(message: str, kind: str) -> int:
    if kind == "json":
        from json import dumps

        sys.stdout.write(dumps({"findings": [], "errors": [{"path": "", "line": 0, "column": 0, "message": message}]}) + "\n")
    sys.stderr.write(f"{message}\n")
    return 2


def _comment(outcome: Outcome, given: argparse.Namespace) -> None:
    """What is said beside the report."""
    for note in outcome.notes:
        sys.stderr.write(f"{note}\n")
    if given.format == "text":
        errors = sum(one.severity == "error" for one in outcome.findings)
        words = (
            f"{errors} errors, {len(outcome.findings) - errors} warnings in {len(outcome.domains)} domains ({', '.join(outcome.domains)}), "
        )
        sys.stderr.write(f"{words}{outcome.files} files, {outcome.lines} lines\n")
    if given.statistics:
        for name, one in zip(outcome.domains, outcome.statistics, strict=True):
            calls = one.resolved + one.unresolved
            share = 100 * one.resolved / calls if calls else 100.0
            sys.stderr.write(
                f"{name}: {one.contexts} calls of functions analysed; {one.resolved} of {calls} call sites resolved ({share:.1f} %), "
                f"{one.bounded} analyses cut short\n"
            )


if __name__ == "__main__":
    sys.exit(main())
