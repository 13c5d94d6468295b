"""CPY1xx, clock: reading a clock."""

from __future__ import annotations

from coopy.validation.rules.rule import catalogued

RULE = catalogued(
    "clock",
    bad=(
        """\
from datetime import datetime

class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        self.items.append(datetime.now())  # bad
""",
        """\
import time


def age():
    return time.time()  # bad

class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        self.items.append((name, age()))
""",
    ),
    good=(
        """\
class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        self.items.append(self._clock.now())
""",
        """\
from coopy import clock

class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        self.items.append(clock.now())
""",
    ),
)
