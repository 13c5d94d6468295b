"""Facts -> findings: rules judge them, pragmas silence them, and what is left is put in order. A finding is what people and tools see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from coopy.validation.rules import RULES
from coopy.validation.verdict import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from coopy.validation.link.analysis import Reached
    from coopy.validation.summary import Pragma

PRAGMA_UNUSED, PRAGMA_UNKNOWN = "CPY001", "CPY002"
UNREADABLE = "CPY003"
_BY_KIND = {kind: rule for rule in RULES for kind in rule.judges()}
CATEGORIES = frozenset(rule.category for rule in RULES)
CODES = frozenset(rule.code for rule in RULES) | {PRAGMA_UNUSED, PRAGMA_UNKNOWN, UNREADABLE}


class Selection(msgspec.Struct, frozen=True):
    """Which rules count: categories, codes or beginnings of codes. An empty `select` is all that are not off."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    def takes(self, code: str, category: str, severity: str) -> bool:
        """Whether findings of a rule are reported."""
        if self._names(self.ignore, code, category):
            return False
        return self._names(self.select, code, category) if self.select else severity != "off"

    def _names(self, words: Iterable[str], code: str, category: str) -> bool:
        return any(word in (category, "ALL") or code.startswith(word) for word in words)


def judge(facts: Iterable[Reached], pragmas: Mapping[str, list[Pragma]], selection: Selection) -> list[Finding]:
    """The findings of all facts, in the order of the files. Pragmas that silence nothing are findings too."""
    used: set[tuple[str, int, str]] = set()
    out: dict[tuple[str, int, int, str], Finding] = {}
    for fact in facts:
        rule = _BY_KIND[fact.kind]
        if _silenced(fact, rule.category, pragmas, used):
            continue
        severity = rule.severity_of(fact)
        if not selection.takes(rule.code, rule.category, severity):
            continue
        finding = Finding(
            rule.code, rule.category, "warning" if severity == "off" else severity, fact.path, fact.line, fact.column, rule.message(fact),
            rule.remedy(fact), fact.domain, fact.entry_point, fact.steps, fact.name, fact.own,
        )  # fmt: skip
        first = out.setdefault((fact.path, fact.line, fact.column, rule.category), finding)
        if first.own and not fact.own:
            out[fact.path, fact.line, fact.column, rule.category] = msgspec.structs.replace(first, own=False, help=finding.help)
    findings = [*out.values(), *_pragma_findings(pragmas, used, selection)]
    return sorted(findings, key=lambda one: (one.path, one.line, one.column, one.rule))


def _silenced(fact: Reached, category: str, pragmas: Mapping[str, list[Pragma]], used: set[tuple[str, int, str]]) -> bool:
    places = [(fact.path, fact.line), *([fact.also] if fact.also else [])]
    silenced = False
    for path, line in places:
        for one in pragmas.get(path, ()):
            if one.line == line and (not one.categories or category in one.categories):
                used.add((path, line, category if one.categories else ""))
                silenced = True
    return silenced


def _pragma_findings(pragmas: Mapping[str, list[Pragma]], used: set[tuple[str, int, str]], selection: Selection) -> Iterable[Finding]:
    """Pragmas with a category that does not exist, and those that silence nothing."""
    for path in sorted(pragmas):
        for one in pragmas[path]:
            for name in one.categories or [""]:
                if name and name not in CATEGORIES:
                    code, text = PRAGMA_UNKNOWN, f"There is no category {name}. Known are: {', '.join(sorted(CATEGORIES))}."
                elif (path, one.line, name) not in used:
                    code, text = PRAGMA_UNUSED, f"This pragma{f' for {name}' if name else ''} silences nothing."
                else:
                    continue
                if selection.takes(code, "pragma", "warning"):
                    yield Finding(code, "pragma", "warning", path, one.line, 1, text, "Remove it or name another category.", "", "", ())
