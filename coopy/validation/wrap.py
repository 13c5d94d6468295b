"""What `init_system` does before it wraps a domain, and `validate_system` by hand: the class is found where it was written and analysed there.

    class -> target -> verdict, kept from an earlier run if nothing has changed -> an error, warnings, facts

Nothing is imported that is not there already, no file of the domain is opened for writing, and the linker and LibCST are loaded only where
there is something new to analyse. A class is analysed once in a process: what runs is the code that was loaded, whatever became of its file.
"""

from __future__ import annotations

import warnings
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from coopy.error import PrevalentError, UsageError
from coopy.logs import logger
from coopy.project import project_at
from coopy.validation.target import Target, target_of
from coopy.validation.verdict import Facts, Finding, Verdict, default_folder, remember, remembered

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["check", "validate_system", "verdict_of"]

log = logger("validation")
SHOWN = 5  # findings in a message; the command shows all
_told: weakref.WeakSet[type] = weakref.WeakSet()
_verdicts: weakref.WeakKeyDictionary[type, dict[tuple[str, ...], Verdict]] = weakref.WeakKeyDictionary()


def validate_system(domain: Any) -> bool:
    """Analyse the class of a domain, or of an object of it, as `init_system` does. True, or PrevalentError with `findings`.

    Findings that are no errors are logged. A class without source cannot be analysed: a RuntimeWarning says so, and the answer
    is True.
    """
    cls = domain if isinstance(domain, type) else type(domain)
    verdict = verdict_of(cls)
    _refuse(cls, verdict)
    _tell(cls, verdict, 3)
    return True


def check(cls: type, mode: str, allow: Iterable[str], level: int) -> dict[str, dict[str, str]]:
    """Analyse a class before it is wrapped. Gives, by name, methods that change nothing before they raise, as `live.holding` says.

    `mode`: "strict" raises PrevalentError for errors, "warn" shows them as a RuntimeWarning. Findings that are no errors are logged. All that
    is said once in a process. `level`: how many calls away the warned one is.
    """
    verdict = verdict_of(cls, allow)
    if mode == "strict":
        _refuse(cls, verdict)
    if cls not in _told:
        _told.add(cls)
        _tell(cls, verdict, level + 1)
    if not verdict.facts.free:
        return {}
    from coopy.validation.live import holding

    return holding(cls, verdict.facts.free)


def _refuse(cls: type, verdict: Verdict) -> None:
    if errors := _errors(verdict):
        way_on = 'Nothing was opened or changed. To open it all the same: validation="warn".'
        raise PrevalentError(f"{_message(cls, errors)} {way_on}", findings=errors)


def _tell(cls: type, verdict: Verdict, level: int) -> None:
    if verdict.unseen:
        warnings.warn(verdict.unseen, RuntimeWarning, stacklevel=level)
    if errors := _errors(verdict):
        warnings.warn(_message(cls, errors), RuntimeWarning, stacklevel=level)
    for one in verdict.findings:
        if one.severity != "error":
            from coopy.validation import report

            log.warning("%s: %s", cls.__qualname__, report.text([one], []))


def _errors(verdict: Verdict) -> tuple[Finding, ...]:
    return tuple(one for one in verdict.findings if one.severity == "error")


def verdict_of(cls: type, allow: Iterable[str] = ()) -> Verdict:
    """What the validator says of a class; of one that it knows, the same as before."""
    allow = tuple(sorted(allow))
    known = _verdicts.setdefault(cls, {})
    if allow not in known:
        known[allow] = _find(cls, allow)
    return known[allow]


def _message(cls: type, errors: tuple[Finding, ...]) -> str:
    """What a person needs: what is wrong, where, by which way, what to write instead, and how to see the rest or go on."""
    from coopy.validation import report
    from coopy.validation.quote import relative

    shown = report.text(errors[:SHOWN], [])
    more = f"\n... and {len(errors) - SHOWN} more.\n" if len(errors) > SHOWN else ""
    number = f"{len(errors)} place{'s' * (len(errors) > 1)}"
    target = target_of(cls)
    where = relative(target.path) if target is not None and not target.cells else "PATH"
    return (
        f"{cls.__qualname__} cannot be replayed: {number} would run otherwise on a restart.\n\n{shown}{more}\n"
        f"All of them: python -m coopy.validate {where}\nA line that you know to be harmless: # coopy: ignore[category] and why."
    )


# --- analysis --------------------------------------------------------------------------------------------------------


def _find(cls: type, allow: tuple[str, ...]) -> Verdict:
    target = target_of(cls, allow)
    if target is None:
        why = "is in no file (a shell, exec)"
        return Verdict(unseen=_unseen(cls, why))
    folder = default_folder(_chosen(target.path))
    about = msgspec.structs.astuple(target)
    verdict = remembered(folder, about, Verdict)
    return verdict if verdict is not None else _analyse(cls, target, folder, about)


def _analyse(cls: type, target: Target, folder: str | None, about: tuple[object, ...]) -> Verdict:
    from coopy.validation.cache import Cache, analyse
    from coopy.validation.run import DomainError, run_class
    from coopy.validation.source import Sources, package_marks

    sources = Sources([], Cache(folder))
    sources.roots = [target.root]
    sources.only = frozenset((*target.only, sources.module_name(target.path)[0].partition(".")[0])) if target.only else None
    if target.cells:
        text = "".join(one.text for one in target.cells)
        sources.take(target.path, analyse(target.path, text.encode("utf-8", "replace")))
    try:
        verdict = run_class(sources, target.path, target.qualname)
    except DomainError:  # made by type(), or the file has changed since it was loaded
        return _of_bases(cls)
    findings = tuple(_shown(one, target) for one in verdict.findings)
    verdict = msgspec.structs.replace(verdict, findings=findings)
    files = dict(sources.cache.keys)
    if files.keys() >= sources.problems.keys():
        remember(folder, about, files, sources.places | package_marks(files), verdict)
    return verdict


def _of_bases(cls: type) -> Verdict:
    """Of a class that is not where it says, its base classes are looked at."""
    why = _unseen(cls, "was not found where it says it is (it was made by type(), or its file has changed since)")
    for base in cls.__mro__[1:-1]:
        if target_of(base) is not None and base.__module__.partition(".")[0] == cls.__module__.partition(".")[0]:
            verdict = verdict_of(base)
            return Verdict(verdict.findings, Facts(), f"{why} Its base class {base.__qualname__} was." if not verdict.unseen else why)
    return Verdict(unseen=why)


def _unseen(cls: type, why: str) -> str:
    return f"the source of {cls.__module__}.{cls.__qualname__} {why}, so whether it can be replayed was not checked."


def _shown(one: Finding, target: Target) -> Finding:
    """A finding in the cells that people know, if it is in one."""
    if not target.cells:
        return one
    path, line = target.shown(one.path, one.line)
    steps = tuple(
        msgspec.structs.replace(step, path=place[0], line=place[1])
        for step in one.call_path
        for place in [target.shown(step.path, step.line)]
    )
    return msgspec.structs.replace(one, path=path, line=line, call_path=steps)


def _chosen(path: str) -> str | None:
    """`cache` of [tool.coopy] in the nearest pyproject.toml above a file."""
    try:
        project = project_at(Path(path).parent)
    except UsageError:
        return None  # the command says what is wrong with it; here it is about a cache only
    found = project.settings.get("cache") if project is not None else None
    return str(project.folder / found) if project is not None and isinstance(found, str) and found else found if found == "" else None
