"""CPY0xx: what is said of the run itself, not of a domain. They judge no facts."""

from __future__ import annotations

from coopy.validation.rules.rule import Rule

NOTICES: tuple[Rule, ...] = (
    Rule(
        code="CPY001",
        category="pragma",
        title="has a pragma that silences nothing",
        why="A pragma that is left over would hide a later finding of its line from everybody.",
        fix="Remove it.",
        severity="warning",
        bad=(),
        good=(),
    ),
    Rule(
        code="CPY002",
        category="pragma",
        title="has a pragma for a category that does not exist",
        why="It silences nothing, and its author believes that it does.",
        fix="Name one of the categories that the list of rules shows.",
        severity="warning",
        bad=(),
        good=(),
    ),
    Rule(
        code="CPY003",
        category="unreadable",
        title="cannot be analysed",
        why="It is no Python that this interpreter reads, its encoding is not what it says, or it is nested too deep: what it does is not known.",
        fix="Mend the file, or leave it out of the paths. Until then the exit status is 2.",
        severity="error",
        bad=(),
        good=(),
    ),
)
