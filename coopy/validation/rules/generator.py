"""CPY201, generator."""

from __future__ import annotations

from coopy.validation.rules.rule import Rule

RULE = Rule(
    code="CPY201",
    category="generator",
    title="is a generator",
    why="Its body runs after the action has ended, whenever the caller takes the next item: nothing of that is recorded.",
    fix="Return a list, or make the method @readonly if it changes nothing.",
    severity="error",
    bad=(
        """\
class Domain:
    def act(self):  # bad
        yield 1
""",
    ),
    good=(
        """\
from coopy import readonly


class Domain:
    @readonly
    def ask(self):
        yield 1
""",
        """\
class Domain:
    def act(self):
        return list(self._all())

    def _all(self):
        yield 1
""",
    ),
)
