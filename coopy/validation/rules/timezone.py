"""CPY1xx, timezone: the machine's time zone."""

from __future__ import annotations

from coopy.validation.rules.rule import catalogued

RULE = catalogued(
    "timezone",
    bad=(
        """\
from datetime import datetime

class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        self.items.append(datetime.fromtimestamp(name))  # bad
""",
    ),
    good=(
        """\
from datetime import datetime, timezone

class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        self.items.append(datetime.fromtimestamp(name, timezone.utc))
""",
    ),
)
