"""CPY202, readonly-mutation."""

from __future__ import annotations

from coopy.validation.rules.rule import Rule

RULE = Rule(
    code="CPY202",
    category="readonly-mutation",
    title="changes state in a query",
    why="A query (a @readonly method, `in`, `len()`, iteration and the like) is not recorded: what it changes is lost at a restart, and other nodes never see it.",
    fix="Change it in an action (a method without @readonly), or change a copy.",
    severity="error",
    bad=(
        """\
from coopy import readonly


class Domain:
    def __init__(self):
        self.seen = []

    @readonly
    def ask(self, name):
        self.seen.append(name)  # bad
""",
    ),
    good=(
        """\
from coopy import readonly


class Domain:
    def __init__(self):
        self.seen = []

    @readonly
    def ask(self, name):
        found = list(self.seen)
        found.append(name)
        return found
""",
    ),
)
