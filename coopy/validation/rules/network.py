"""CPY1xx, network: the network."""

from __future__ import annotations

from coopy.validation.rules.rule import catalogued

RULE = catalogued(
    "network",
    bad=(
        """\
import urllib.request

class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        self.items.append(urllib.request.urlopen(name).read())  # bad
""",
    ),
    good=(
        """\
from urllib.parse import quote

class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        self.items.append(quote(name))
""",
    ),
)
