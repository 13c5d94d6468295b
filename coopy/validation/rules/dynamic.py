"""CPY1xx, dynamic: code that is put together."""

from __future__ import annotations

from coopy.validation.rules.rule import catalogued

RULE = catalogued(
    "dynamic",
    bad=(
        """\
class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        self.items.append(eval(name))  # bad
""",
    ),
    good=(
        """\
import ast

class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        self.items.append(ast.literal_eval(name))
""",
    ),
)
