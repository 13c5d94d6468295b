"""fsum is exact in any order, and so are sums of whole numbers and of Decimal."""

from decimal import Decimal
from math import fsum


class Invoices:
    def __init__(self):
        self.totals = {}

    def close(self, invoice, lines):
        names = set(lines)
        exact = fsum(lines[name] for name in names), sum(int(lines[name]) for name in names)
        self.totals[invoice] = (*exact, sum(Decimal(round(lines[name])) for name in names))


DOMAIN = Invoices
CALLS = tuple(
    ("close", number, {letter: number + (place + 1) ** 9 / 7 for place, letter in enumerate("abcdefghijkl")}) for number in range(6)
)
