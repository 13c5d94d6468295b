"""CPY1xx, locale: language settings."""

from __future__ import annotations

from coopy.validation.rules.rule import catalogued

RULE = catalogued(
    "locale",
    bad=(),
    good=(
        """\
class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        self.items.append(f"{len(name):,}")
""",
    ),
)
