"""CPY1xx, introspection: the interpreter."""

from __future__ import annotations

from coopy.validation.rules.rule import catalogued

RULE = catalogued(
    "introspection",
    bad=(
        """\
import sys

class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        self.items.append(sys.getrefcount(name))  # bad
""",
    ),
    good=(
        """\
class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        self.items.append(type(name).__name__)
""",
    ),
)
