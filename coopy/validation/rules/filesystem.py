"""CPY1xx, filesystem: files."""

from __future__ import annotations

from coopy.validation.rules.rule import catalogued

RULE = catalogued(
    "filesystem",
    bad=(
        """\
class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        self.items.append(open(name).read())  # bad
""",
    ),
    good=(
        """\
from pathlib import PurePath

class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        self.items.append(PurePath(name).suffix)
""",
    ),
)
