"""CPY1xx, random: random numbers."""

from __future__ import annotations

from coopy.validation.rules.rule import catalogued

RULE = catalogued(
    "random",
    bad=(
        """\
import uuid

class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        self.items.append(uuid.uuid4())  # bad
""",
        """\
import random

class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        self.items.append(random.choice(name))  # bad
""",
    ),
    good=(
        """\
class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        self.items.append(self._random.choice(name))
""",
        """\
import random

class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        self.items.append(random.Random(7).random())
""",
    ),
)
