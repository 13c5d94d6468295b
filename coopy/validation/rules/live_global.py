"""CPY203, live-global."""

from __future__ import annotations

from coopy.validation.rules.rule import Rule

RULE = Rule(
    code="CPY203",
    category="live-global",
    title="is changed by an action, and is no part of the state",
    why="What belongs to a module or class is in no snapshot: after a restart it starts over.",
    fix="Keep it in an attribute of the domain.",
    severity="error",
    bad=(
        """\
COUNT = {}


class Domain:
    def act(self, name):
        COUNT[name] = 1  # bad
""",
        """\
class Domain:
    seen = []

    def act(self, name):
        self.seen.append(name)  # bad
""",
    ),
    good=(
        """\
LIMITS = {"a": 1}


class Domain:
    def act(self, name):
        limits = dict(LIMITS)
        limits[name] = 1
        return limits
""",
    ),
)
