"""CPY1xx, concurrency: threads and event loops."""

from __future__ import annotations

from coopy.validation.rules.rule import catalogued

RULE = catalogued(
    "concurrency",
    bad=(
        """\
import threading

class Domain:
    def __init__(self):
        self.items = []

    def act(self, name):
        threading.Thread(target=print).start()  # bad
""",
        """\
class Domain:
    async def act(self):  # bad
        return 1
""",
    ),
    good=(
        """\
from coopy import readonly


class Domain:
    @readonly
    async def ask(self):
        return 1
""",
    ),
    kinds=("concurrency", "async"),
)
