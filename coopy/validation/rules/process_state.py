"""CPY1xx, process-state: state of the process."""

from __future__ import annotations

from coopy.validation.rules.rule import catalogued

RULE = catalogued(
    "process-state",
    bad=(
        """\
import decimal

class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        decimal.getcontext().prec = 7  # bad
""",
    ),
    good=(
        """\
import decimal

class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        self.items.append(decimal.Decimal(name))
""",
    ),
)
