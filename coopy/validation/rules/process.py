"""CPY1xx, process: processes."""

from __future__ import annotations

from coopy.validation.rules.rule import catalogued

RULE = catalogued(
    "process",
    bad=(
        """\
import subprocess

class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        self.items.append(subprocess.run(["date"]))  # bad
""",
    ),
    good=(
        """\
import shlex

class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        self.items.append(shlex.split(name))
""",
    ),
)
