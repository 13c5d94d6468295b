"""CPY204, default-mutable."""

from __future__ import annotations

from coopy.validation.rules.rule import Rule

RULE = Rule(
    code="CPY204",
    category="default-mutable",
    title="changes a default argument",
    why="A default argument lives as long as the process and is in no snapshot: it remembers what was before the restart only.",
    fix="Use None as the default and make the object in the function.",
    severity="error",
    bad=(
        """\
class Domain:
    def act(self, name, seen=[]):
        seen.append(name)  # bad
        return len(seen)
""",
    ),
    good=(
        """\
class Domain:
    def act(self, name, seen=()):
        return [*seen, name]
""",
    ),
)
