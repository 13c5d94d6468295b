"""CPY1xx, blocking: waiting."""

from __future__ import annotations

from coopy.validation.rules.rule import catalogued

RULE = catalogued(
    "blocking",
    bad=(
        """\
import time

class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        time.sleep(1)  # bad
""",
    ),
    good=(
        """\
class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        self.items.append(name)
""",
    ),
)
