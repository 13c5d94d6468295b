"""Which program did it."""

import sys


class Audit:
    def __init__(self):
        self.lines = []

    def note(self, what, *, by=None):
        self.lines.append(f"{what} ({by or sys.argv[0]})")


DOMAIN = Audit
CALLS = (("note", "begin ann ann"), ("note", "end"))
EXPECTED = 1, "note", r"lines\[0\]"
