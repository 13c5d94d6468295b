"""CPY1xx, input: asking the user."""

from __future__ import annotations

from coopy.validation.rules.rule import catalogued

RULE = catalogued(
    "input",
    bad=(
        """\
class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        self.items.append(input(name))  # bad
""",
    ),
    good=(
        """\
def input(text):
    return text


class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        self.items.append(input(name))
""",
    ),
)
