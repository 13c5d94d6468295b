"""CPY1xx, database: databases."""

from __future__ import annotations

from coopy.validation.rules.rule import catalogued

RULE = catalogued(
    "database",
    bad=(
        """\
import sqlite3

class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        self.items.append(sqlite3.connect(name).total_changes)  # bad
""",
    ),
    good=(
        """\
class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        self.items.append({"table": name})
""",
    ),
)
