"""CPY1xx, set-order: hash order."""

from __future__ import annotations

from coopy.validation.rules.rule import catalogued

RULE = catalogued(
    "set-order",
    bad=(
        """\
class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        self.items.extend(list(set(name)))  # bad
""",
        """\
class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        for one in set(name):  # bad
            self.items.append(one)
""",
    ),
    good=(
        """\
class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        self.items.extend(sorted(set(name)))
""",
        """\
class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        count = 0
        for one in set(name):
            count += len(one)
        return count
""",
    ),
)
