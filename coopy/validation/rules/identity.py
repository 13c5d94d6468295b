"""CPY1xx, identity: addresses and salted hashes."""

from __future__ import annotations

from coopy.validation.rules.rule import catalogued

RULE = catalogued(
    "identity",
    bad=(
        """\
class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        self.items.append(id(name))  # bad
""",
        """\
class Node:
    pass

class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        self.items.append(f"{Node()}")  # bad
""",
    ),
    good=(
        """\
class Node:
    def __repr__(self):
        return "node"

class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        self.items.append(f"{Node()}")
""",
    ),
)
