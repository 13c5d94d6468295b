"""Decimal computes as exactly as the program was told to, which the domain does not know."""

from decimal import Decimal


class Shares:
    def __init__(self):
        self.parts = {}

    def divide(self, name, amount, by):
        self.parts[name] = Decimal(amount) / by


DOMAIN = Shares
CALLS = (("divide", "a", 100, 4), ("take_snapshot",), ("divide", "b", 100, 7), ("take_snapshot",))
EXPECTED = 2, "divide", r"parts\['b'\]"
