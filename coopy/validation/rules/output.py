"""CPY1xx, output: printing."""

from __future__ import annotations

from coopy.validation.rules.rule import catalogued

RULE = catalogued(
    "output",
    bad=(),
    good=(
        """\
class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        print(name)
""",
    ),
)
