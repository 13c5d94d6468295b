#!/usr/bin/env python3
"""Run a type checker over a folder of typing cases and compare its reports with the comments in the cases, line by line.

    python score.py CASES_DIR [--python PY] [--plugin coopy.mypy_plugin] [--min-hits X] [--max-false N]
    python score.py CASES_DIR --plain          mypy without the plugin: what any type checker must say already
    python score.py CASES_DIR --pyright CMD    pyright, on the cases that the manifest says it agrees with

CASES_DIR holds `cases/` and `manifest.json`. README.md gives the vocabulary of the comments. Exit status: 0 within the
limits, 1 outside of them, 2 when the checker did not run.
"""

from __future__ import annotations

import argparse
import ast
import itertools
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tokenize
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MARKER = re.compile(r"#\s*([EROP]):\s*([^#]*)")
REVEALED = re.compile(r"""Revealed type is ["'](.*)["']""")
PYRIGHT_REVEALED = re.compile(r'Type of ".*" is "(.*)"$', re.DOTALL)
DOTTED = re.compile(r"[\w.]+\.(\w+)")
OURS = "coopy"
MYPY_ONLY = {"unused-ignore", "no-any-return", "func-returns-value"}


@dataclass
class Expected:
    """What the comments of one line ask for."""

    required: list[frozenset[str]] = field(default_factory=list)  # each: any one of these codes
    optional: set[str] = field(default_factory=set)
    plain: list[str] = field(default_factory=list)  # reported without the plugin, silent with it
    types: list[str] = field(default_factory=list)


@dataclass
class Found:
    """What the checker said about one line."""

    codes: dict[str, str] = field(default_factory=dict)  # code: first message
    types: list[str] = field(default_factory=list)


@dataclass
class Case:
    """The outcome of one case."""

    name: str
    hard: bool
    silent: bool = True  # no line of it asks for a report
    wanted: int = 0
    hit: int = 0
    missed: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)


Lines = dict[tuple[str, int], Found]


class CheckerFailed(Exception):
    """The checker did not run to its end."""


def is_ours(code: str) -> bool:
    return code == OURS or code.startswith(f"{OURS}-")


def normal_type(text: str) -> str:
    """One spelling for the types that checkers and their versions print differently."""
    text = DOTTED.sub(r"\1", text.strip()).replace("*", "").replace("'", '"')
    text = re.sub(r"([\w\]\)])\?", r"\1", text)
    while (start := re.search(r"\b(Union|Optional)\[", text)) is not None:
        end, depth, parts, last = start.end(), 1, [], start.end()
        while depth:
            depth += (text[end] in "[(") - (text[end] in "])")
            if (text[end] == "," and depth == 1) or depth == 0:
                parts.append(text[last:end].strip())
                last = end + 1
            end += 1
        if start.group(1) == "Optional":
            parts.append("None")
        text = text[: start.start()] + " | ".join(parts) + text[end:]
    return re.sub(r"\s+", " ", text)


def read_expected(path: Path) -> dict[int, Expected]:
    lines: dict[int, Expected] = {}
    with tokenize.open(path) as source:
        for token in tokenize.generate_tokens(source.readline):
            if token.type != tokenize.COMMENT:
                continue
            for kind, text in MARKER.findall(token.string):
                line = lines.setdefault(token.start[0], Expected())
                if kind == "R":
                    line.types.append(normal_type(text))
                    continue
                for group in (part.strip() for part in text.split(",")):
                    codes = frozenset(code.strip() for code in group.split("|"))
                    if kind == "E":
                        line.required.append(codes)
                    elif kind == "O":
                        line.optional |= codes
                    else:
                        line.plain.extend(codes)
    return lines


def modules_of(cases: Path) -> dict[str, list[Path]]:
    """Case name to its files: a module at the top, or a package."""
    found: dict[str, list[Path]] = {}
    for entry in sorted(cases.iterdir()):
        if entry.suffix == ".py":
            found[entry.stem] = [entry]
        elif (entry / "__init__.py").exists():
            found[entry.name] = sorted(entry.rglob("*.py"))
    return found


def run_mypy(args: argparse.Namespace, root: Path, files: list[Path], work: Path) -> Lines:
    config = work / "mypy.ini"
    settings = ["[mypy]", "strict = True", f"mypy_path = {root}", "explicit_package_bases = True", "show_traceback = True"]
    settings.append(f"cache_dir = {args.cache or work / 'cache'}")
    if args.plain:
        settings.append("warn_unused_ignores = True")
    neighbour = Path(__file__).resolve().with_name("neighbour_plugin.py")
    settings.append(f"plugins = {neighbour}" if args.plain else f"plugins = {args.plugin}, {neighbour}")
    config.write_text("\n".join(settings) + "\n")
    command = [args.python, "-m", "mypy", "--config-file", str(config), "-O", "json", *args.mypy_arg]
    started = time.perf_counter()
    # From an empty folder: `-m` puts the working directory first on sys.path.
    done = subprocess.run([*command, *map(str, files)], capture_output=True, text=True, cwd=work, check=False)
    print(f"mypy took {time.perf_counter() - started:.1f} s")
    reports = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    other = [line for line in done.stdout.splitlines() if line and not line.startswith("{")]
    if done.returncode not in (0, 1) or (done.returncode == 1 and not reports):
        raise CheckerFailed("\n".join(["mypy did not run:", *(line["message"] for line in reports), *other, done.stderr]))
    if done.stderr.strip():
        print("mypy wrote to stderr:", done.stderr, sep="\n")
    lines: Lines = {}
    for report in reports:
        place = (work / report["file"]).resolve()
        name = str(place.relative_to(root)) if place.is_relative_to(root) else str(place)
        found = lines.setdefault((name, report["line"]), Found())
        found.types.extend(normal_type(shown) for shown in REVEALED.findall(report["message"] + "\n" + (report["hint"] or "")))
        code = report["code"] or "none"
        if report["severity"] == "error" or is_ours(code):
            found.codes.setdefault(code, report["message"])
    return lines


def run_pyright(command: str, root: Path, files: list[Path], work: Path) -> Lines:
    settings: dict[str, Any] = {"extraPaths": [str(root)], "include": [str(path) for path in files]}
    settings |= {"typeCheckingMode": "standard", "reportUnnecessaryTypeIgnoreComment": False}
    (work / "pyrightconfig.json").write_text(json.dumps(settings))
    done = subprocess.run([*command.split(), "--outputjson", "-p", str(work)], capture_output=True, text=True, check=False)
    try:
        reports = json.loads(done.stdout)["generalDiagnostics"]
    except ValueError:
        raise CheckerFailed(f"pyright did not run:\n{done.stdout}\n{done.stderr}") from None
    lines: Lines = {}
    for report in reports:
        place = Path(report["file"]).resolve()
        if place not in files:
            continue
        found = lines.setdefault((str(place.relative_to(root)), report["range"]["start"]["line"] + 1), Found())
        found.types.extend(normal_type(shown) for shown in PYRIGHT_REVEALED.findall(report["message"]))
        if report["severity"] == "error":
            found.codes.setdefault(report.get("rule", "none"), report["message"].replace("\n", " "))
    return lines


def for_plain(line: Expected) -> Expected:
    """What a checker without the plugin must say about the line."""
    required = [] if line.plain else [codes for codes in line.required if not any(map(is_ours, codes))]
    optional = set(line.optional).union(*line.required) if line.required else set(line.optional)
    required.extend(frozenset({code}) for code in line.plain)
    return Expected(required, optional, [], [] if line.plain else line.types)


def compare(case: Case, name: str, number: int, wanted: Expected, found: Found, counts: dict[str, Counter[str]]) -> None:
    where = f"{name}:{number}"
    accepted = set(wanted.optional)
    case.silent &= not wanted.required
    for codes in wanted.required:
        accepted |= codes
        label = " | ".join(sorted(codes))
        case.wanted += 1
        counts["wanted"][label] += 1
        if codes & found.codes.keys():
            case.hit += 1
            counts["hit"][label] += 1
        else:
            case.missed.append(f"{where}: missed {label}")
    for shown in wanted.types:
        case.wanted += 1
        counts["wanted"]["reveal_type"] += 1
        if shown in found.types:
            case.hit += 1
            counts["hit"]["reveal_type"] += 1
        else:
            case.missed.append(f"{where}: missed type {shown}, got {', '.join(found.types) or 'nothing'}")
    for code, message in found.codes.items():
        if code not in accepted:
            case.unexpected.append(f"{where}: unexpected {code}: {message[:140]}")


def compare_pyright(case: Case, name: str, number: int, wanted: Expected, found: Found) -> None:
    """Pyright names its rules otherwise: compare only whether it reports, and the revealed types."""
    wanted.required = [codes for codes in wanted.required if not codes & MYPY_ONLY]
    case.wanted += bool(wanted.required) + len(wanted.types)
    if wanted.required:
        case.silent = False
        case.hit += bool(found.codes)
        if not found.codes:
            case.missed.append(f"{name}:{number}: missed {wanted.required}")
    elif not wanted.optional:
        case.unexpected.extend(f"{name}:{number}: unexpected {c}: {m[:140]}" for c, m in found.codes.items())
    for shown in wanted.types:
        case.hit += shown in found.types
        if shown not in found.types:
            case.missed.append(f"{name}:{number}: missed type {shown}, got {', '.join(found.types) or 'nothing'}")


def check(args: argparse.Namespace, root: Path, modules: dict[str, list[Path]], work: Path) -> dict[str, Lines]:
    """What was said of the cases by each run, by the name of the run."""
    files = [path for paths in modules.values() for path in paths]
    if args.pyright:
        return {"pyright": run_pyright(args.pyright, root, files, work)}
    runs = {"cold": run_mypy(args, root, files, work)}
    if args.warm:
        touch_leaves(modules)
        runs["warm"] = run_mypy(args, root, files, work)
    return runs


def imported_names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield (node.module or "").rpartition(".")[2]
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name.rpartition(".")[2] for alias in node.names)


def touch_leaves(modules: dict[str, list[Path]]) -> None:
    """Change the modules that no other module of their package imports, so that the others come from mypy's cache."""
    for files in modules.values():
        if len(files) > 1:
            imported = {name for path in files for name in imported_names(ast.parse(path.read_text()))}
            for path in files:
                if path.stem not in imported and path.stem != "__init__":
                    path.write_text(path.read_text() + "\n# changed\n")


def has_all(python: str, about: dict[str, Any]) -> bool:
    """Whether the interpreter has the third-party modules that the case imports."""
    missing = [
        m for m in about.get("requires", []) if subprocess.run([python, "-c", f"import {m}"], capture_output=True, check=False).returncode
    ]
    if missing:
        print(f"left out: a case that needs {', '.join(missing)}")
    return not missing


def score(args: argparse.Namespace, modules: dict[str, list[Path]], root: Path, about: dict[str, Any], lines: Lines) -> bool:
    """Print what was missed and what was unexpected; say whether that is within the limits."""
    counts: dict[str, Counter[str]] = {"wanted": Counter(), "hit": Counter()}
    outcomes = []
    seen: set[tuple[str, int]] = set()
    for case_name, files in modules.items():
        case = Case(case_name, bool(about.get(case_name, {}).get("hard")))
        outcomes.append(case)
        for path in files:
            name = str(path.relative_to(root))
            expected = read_expected(path)
            numbers = expected.keys() | {number for file, number in lines if file == name}
            for number in sorted(numbers):
                seen.add((name, number))
                wanted = expected.get(number, Expected())
                found = lines.get((name, number), Found())
                if args.pyright:
                    compare_pyright(case, name, number, for_plain(wanted), found)
                else:
                    compare(case, name, number, for_plain(wanted) if args.plain else wanted, found, counts)
    elsewhere = [f"{name}:{number}: {found.codes}" for (name, number), found in lines.items() if (name, number) not in seen]

    for case in outcomes:
        if case.missed or case.unexpected:
            print(f"\n{case.name}{' (hard)' if case.hard else ''}: {case.hit}/{case.wanted}, {len(case.unexpected)} unexpected")
            print(*(f"  {text}" for text in case.missed + case.unexpected), sep="\n")
    if elsewhere:
        print("\noutside of the cases:", *elsewhere, sep="\n  ")
    if counts["wanted"]:
        print("\nby kind:")
        for label, number in sorted(counts["wanted"].items()):
            print(f"  {label:32} {counts['hit'][label]:4} / {number}")

    normal, hard = [c for c in outcomes if not c.hard], [c for c in outcomes if c.hard]
    hit, wanted_total = sum(c.hit for c in normal), sum(c.wanted for c in normal)
    unexpected = sum(len(c.unexpected) for c in normal) + len(elsewhere)
    silent = [c for c in normal if c.silent]
    fraction = hit / wanted_total if wanted_total else 1.0
    needed = args.min_hits if args.min_hits > 1 else args.min_hits * wanted_total
    good: bool = hit >= needed and unexpected <= args.max_false
    print(
        f"\n{'ok' if good else 'FAILED'}: {hit}/{wanted_total} expected lines hit ({fraction:.1%}), {unexpected} unexpected; "
        f"{sum(not c.missed and not c.unexpected for c in normal)}/{len(normal)} cases clean, "
        f"{sum(not c.unexpected for c in silent)}/{len(silent)} silent cases silent; "
        f"hard: {sum(c.hit for c in hard)}/{sum(c.wanted for c in hard)} hit, {sum(len(c.unexpected) for c in hard)} unexpected"
    )
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("cases_dir", type=Path)
    parser.add_argument("--python", default=sys.executable, help="the interpreter that has mypy and coopy")
    parser.add_argument("--plugin", default="coopy.mypy_plugin")
    parser.add_argument("--plain", action="store_true", help="without the plugin; its codes are not expected")
    parser.add_argument("--pyright", metavar="CMD", help="run this pyright command instead of mypy")
    parser.add_argument("--warm", action="store_true", help="run twice and score both; the second has the domains from the cache")
    parser.add_argument("--cache", type=Path, help="mypy's cache, for several folders of cases: what they import is read once, the cases are not in it")
    parser.add_argument("--case", action="append", default=[], help="only this case (repeatable)")
    parser.add_argument("--mypy-arg", action="append", default=[], help="a further argument for mypy (repeatable)")
    parser.add_argument("--min-hits", type=float, default=1.0, help="a fraction up to 1, or a number of expected lines")
    parser.add_argument("--max-false", type=int, default=0)
    args = parser.parse_args()

    # Absolute, but not resolved: that would follow a virtual environment's link to the interpreter it was made from.
    args.python = str(Path(shutil.which(args.python) or args.python).absolute())
    manifest = args.cases_dir / "manifest.json"
    about: dict[str, Any] = json.loads(manifest.read_text())["cases"] if manifest.exists() else {}
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch).resolve()
        root = work / "cases"
        shutil.copytree(args.cases_dir / "cases", root, ignore=shutil.ignore_patterns("__pycache__"))
        modules = modules_of(root)
        if about and modules.keys() != about.keys():
            print(f"the manifest and the folder differ: {sorted(modules.keys() ^ about.keys())}")
            return 2
        if args.case:
            modules = {name: modules[name] for name in args.case}
        if args.pyright:
            modules = {name: files for name, files in modules.items() if about.get(name, {}).get("pyright") == "agrees"}
        if args.plain or args.pyright:
            modules = {name: files for name, files in modules.items() if about.get(name, {}).get("plain", True)}
        modules = {name: files for name, files in modules.items() if has_all(args.python, about.get(name, {}))}
        try:
            runs = check(args, root, modules, work)
        except CheckerFailed as failure:
            # A module that switches off a code which no plugin has registered stops some versions of mypy: try without such.
            rest = {name: files for name, files in modules.items() if about.get(name, {}).get("plain", True)}
            if len(rest) == len(modules) or not rest:
                print(failure)
                return 2
            try:
                runs = check(args, root, rest, work)
            except CheckerFailed:
                print(failure)
                return 2
            for lines, name in itertools.product(runs.values(), modules.keys() - rest.keys()):
                lines[f"{name}.py", 1] = Found({"crash": "mypy did not survive this case; are the codes registered?"})
        good = True
        for run, lines in runs.items():
            print(f"\n--- {run}")
            good &= score(args, modules, root, about, lines)
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
