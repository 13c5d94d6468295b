"""What a rule is: a code, a category, why it matters, and examples that are its tests. It judges facts; it never walks a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from coopy import catalogue

if TYPE_CHECKING:
    from coopy.validation.link.analysis import Reached


class Rule(msgspec.Struct, frozen=True):
    """One rule. `kinds`: of facts it judges. `bad` and `good` are bodies of files with a class named Domain; a bad line ends in `# bad`."""

    code: str
    category: str
    title: str
    why: str
    fix: str
    severity: str
    bad: tuple[str, ...]
    good: tuple[str, ...]
    kinds: tuple[str, ...] = ()

    def judges(self) -> tuple[str, ...]:
        """The kinds of facts that this rule judges."""
        return self.kinds or (self.category,)

    def severity_of(self, fact: Reached) -> str:
        """error, warning or off: what the fact's entry says, at most a warning where a condition is in doubt."""
        severity = fact.severity or self.severity
        return "warning" if severity == "error" and not fact.certain else severity

    def message(self, fact: Reached) -> str:
        """What happens here, and why replay cannot repeat it."""
        doubt = " In so large a program it is not certain that any call takes this way." if fact.doubtful else ""
        return f"{fact.name} {self.title}. {self.why}{doubt}"

    def remedy(self, fact: Reached) -> str:
        """What to write instead."""
        if fact.use:
            use = fact.use.replace("{name}", fact.name.rpartition(".")[2]).replace("{args}", "...")
            tools = [one for one in ("clock", "random") if f"self._{one}" in use and not fact.own]
            for one in tools:
                use = use.replace(f"self._{one}", one)
            whence = f", with from coopy import {', '.join(tools)}" if tools else ""
            return f"Write {use}{whence}."
        return self.fix


def catalogued(category: str, bad: tuple[str, ...], good: tuple[str, ...], kinds: tuple[str, ...] = ()) -> Rule:
    """The rule of a category of the catalogue, whose words are the catalogue's."""
    one = catalogue.load().categories[category]
    return Rule(one.code, category, one.title, one.why, one.fix, one.severity, bad, good, kinds)
