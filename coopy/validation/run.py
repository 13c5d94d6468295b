"""One run: paths and options -> findings. Finds the domains, analyses each, and judges the facts; the command and init_system call it."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from coopy import catalogue
from coopy.validation.deep import room_for
from coopy.validation.findings import UNREADABLE, Selection, judge
from coopy.validation.link.analysis import Analysis, Statistics
from coopy.validation.link.discovery import Discovery
from coopy.validation.link.facts import facts_of
from coopy.validation.link.hazards import Args
from coopy.validation.link.scopes import AT_END, ClassInfo, ModuleInfo, Program
from coopy.validation.link.values import ClassValue, Values
from coopy.validation.source import SourceError, Sources, package_marks
from coopy.validation.summary import Problem
from coopy.validation.verdict import Finding, Verdict, remember, remembered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from coopy.validation.link.analysis import Reached


RECURSION = 50_000  # frames: calls within calls within expressions; Python's own take no native stack


class DomainError(SourceError):
    """No domain, or not the one that was named."""


def _silent(_done: int, _all: int) -> None:
    """No progress is shown."""


class Options(msgspec.Struct, frozen=True):
    """What is analysed and how."""

    domains: tuple[str, ...] = ()
    selection: Selection = Selection()
    jobs: int = 1
    progress: Callable[[int, int], None] = _silent


class Outcome(msgspec.Struct, frozen=True):
    """What a run found. `problems`: files that could not be analysed."""

    findings: list[Finding]
    problems: list[Problem]
    domains: list[str]
    files: int
    lines: int
    statistics: list[Statistics]
    notes: list[str]


def run(sources: Sources, options: Options) -> Outcome:
    """Analyse, or say what an earlier run of the same files has found. Raises DomainError where no domain is found."""
    folder = sources.cache.root
    about = ("run", tuple(sources.files), tuple(sources.roots), options.domains, msgspec.structs.astuple(options.selection))
    outcome = remembered(folder, about, Outcome)
    if outcome is None:
        outcome = _run(sources, options)
        if sources.cache.keys.keys() >= {*sources.files, *sources.problems}:
            lasting = msgspec.structs.replace(outcome, notes=[])
            remember(folder, about, sources.cache.keys, sources.places | package_marks(sources.cache.keys), lasting)
    return outcome


def _run(sources: Sources, options: Options) -> Outcome:
    from coopy.validation.workers import parsed_ahead  # which brings multiprocessing, for nothing if one class is analysed

    program = Program(sources)
    discovery = Discovery(program, catalogue.load())
    with parsed_ahead(sources, options.jobs, options.domains, options.progress):
        domains = find_domains(discovery, sources, options.domains)
        facts, statistics, _ = analyse(program, domains, discovery.built)
    modules = [(path, summary) for path in sources.files if (summary := sources.summary(path)) is not None]
    pragmas = {path: summary.pragmas for path, summary in modules if summary.pragmas}
    pragmas |= {one.path: one.summary.pragmas for one in program.modules.values() if one is not None and one.summary.pragmas}
    findings = judge(facts, pragmas, options.selection)
    problems = [sources.problems[path] for path in sorted(sources.problems)]
    lines = sum(len(one.lines) - 1 for _, one in modules)  # the last is the end of the file
    return Outcome(findings, problems, [one.full for one in domains], len(sources.files), lines, statistics, sources.cache.notes)


def run_class(sources: Sources, path: str, qualname: str) -> Verdict:
    """What is to be said of one class of a file. Raises DomainError if it is not there."""
    program = Program(sources)
    module = program.at_path(path)
    if module is None:
        return Verdict(_unreadable(sources))
    domain = _class_in(program, module, qualname, qualname)
    facts, _, analyses = analyse(program, [domain])
    pragmas = {one.path: one.summary.pragmas for one in program.modules.values() if one is not None and one.summary.pragmas}
    findings = [one for one in judge(facts, pragmas, Selection()) if not _elsewhere(one)]
    return Verdict((*_unreadable(sources), *findings), facts_of(analyses[0], sources.cache.keys))


def _elsewhere(one: Finding) -> bool:
    """Whether a finding is not for who opens a system: a pragma may be for another class, and the state that `__init__` leaves is pickled then."""
    return one.category == "pragma" or (one.category == "unpicklable-state" and one.entry_point.endswith(".__init__"))


def _unreadable(sources: Sources) -> tuple[Finding, ...]:
    """Files that could not be analysed, as findings."""
    fix = "Correct the file, or do without it in the domain."
    return tuple(
        Finding(
            UNREADABLE,
            "unreadable",
            "error",
            one.path,
            one.line,
            one.column,
            f"This file cannot be analysed: {one.message}.",
            fix,
            "",
            "",
            (),
        )
        for _, one in sorted(sources.problems.items())
    )


def analyse(
    program: Program, domains: Iterable[ClassInfo], made: Mapping[ClassInfo, Sequence[Args]] = MappingProxyType({})
) -> tuple[list[Reached], list[Statistics], list[Analysis]]:
    """What is reached from all domains; `made`: the arguments with which the program makes them."""
    facts, statistics, analyses = [], [], []
    collecting = gc.isenabled()
    gc.disable()  # nothing dies before the end, so looking for what has died would only take time, half of it
    try:
        with room_for(RECURSION):
            for one in domains:
                analysis = Analysis(program, catalogue.load(), one, made.get(one, ()))
                facts += analysis.run()
                statistics.append(analysis.statistics())
                analyses.append(analysis)
    finally:
        if collecting:
            gc.enable()
    return facts, statistics, analyses


def find_domains(discovery: Discovery, sources: Sources, named: Iterable[str]) -> list[ClassInfo]:
    """The domain classes: those that are named, else those that any of the files passes to init_system."""
    program = discovery.program
    found = dict.fromkeys(_named(program, sources, one) for one in named)
    passed: dict[ClassInfo, None] = {}
    for path in sources.files:
        if not (found and _is_test(path)) and sources.wraps(path) and (module := program.at_path(path)) is not None:
            passed.update(dict.fromkeys(discovery.domains(module)))
    found = found or passed
    if not found and not (not any(map(sources.summary, sources.files)) and sources.problems):
        raise DomainError(
            "no domain class was found: nothing here passes one to init_system(). Name it with --domain module:Class, "
            'or in pyproject.toml: [tool.coopy] domains = ["module:Class"]'
        )
    return sorted(found, key=lambda one: (one.module.path, one.node.at))


def _is_test(path: str) -> bool:
    """Whether a file holds tests, which make domains with what is right for tests."""
    name, folder = Path(path).name, Path(path).parent.name
    return folder in ("test", "tests") or name.startswith(("test_", "conftest.")) or name.endswith("_test.py")


def _named(program: Program, sources: Sources, text: str) -> ClassInfo:
    """module:Class."""
    name, colon, qualname = text.partition(":")
    if not colon or not qualname:
        raise DomainError(f"--domain {text}: write it as module:Class")
    paths: dict[str, None] = {}
    for roots in (sources.roots, sources.every_root()):  # the folders that were named, before those that files are imported from
        paths = paths or dict.fromkeys(path for root in roots if (path := sources.find(name, f"{root}/x.py")) is not None)
    if not paths:
        raise DomainError(f"--domain {text}: there is no module {name} below {', '.join(sources.every_root())}")
    if len(paths) > 1:
        raise DomainError(f"--domain {text}: two modules have that name: {', '.join(paths)}. Name the folder of the one that you mean")
    module = program.at_path(next(iter(paths)))
    if module is None:
        raise DomainError(f"--domain {text}: {next(iter(paths))} cannot be analysed: {sources.problems[next(iter(paths))].message}")
    return _class_in(program, module, qualname, text)


def _class_in(program: Program, module: ModuleInfo, qualname: str, text: str) -> ClassInfo:
    """A class by its qualified name; names that are imported there count."""
    finder = Discovery(program, catalogue.load())
    frame = finder.scratch(module, None, None, AT_END)
    outside, _, _ = qualname.partition(".<locals>")
    first, *rest = (outside if outside != qualname else qualname).split(".")
    values: Values = finder.module_name(frame, module, first, 0)
    for part in rest:
        values = frozenset(inner for one in values for inner in finder.attribute(frame, 0, one, part))
    if outside != qualname:  # what is defined in a function is there once it has run, for its types
        finder.call_all(frame, 0, values, Args(open_=True))
        finder.settle()
        values = frozenset(finder.pool.cls(one) for one in module.classes.values() if one.qualname == qualname)
    for one in sorted((one for one in values if isinstance(one, ClassValue)), key=lambda one: one.cls.node.at):
        return one.cls
    raise DomainError(f"--domain {text}: {module.path} has no class {qualname}")
