"""CPY1xx, environment: machine and process."""

from __future__ import annotations

from coopy.validation.rules.rule import catalogued

RULE = catalogued(
    "environment",
    bad=(
        """\
import os

class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        self.items.append(os.environ["HOME"])  # bad
""",
        """\
import os

class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        self.items.append(os.getpid())  # bad
""",
    ),
    good=(
        """\
import os

class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        self.items.append(os.path.join("a", name))
""",
    ),
)
