"""Rounded sums depend on the order in which they are added."""


class Invoices:
    def __init__(self):
        self.lines = {}
        self.totals = {}

    def add(self, invoice, lines):
        self.lines[invoice] = lines

    def close_month(self):
        for invoice, lines in self.lines.items():
            total = 0.0
            for name in {name for name, amount in lines.items() if amount}:
                total += lines[name]
            self.totals[invoice] = total


DOMAIN = Invoices
CALLS = (
    *(
        ("add", number, {f"{number}{letter}": (number * 37 + place * 101) % 997 / 7 for place, letter in enumerate("abcdefghijkl")})
        for number in range(60)
    ),
    ("close_month",),
    ("add", 0, {}),
)
EXPECTED = 61, "close_month", r"totals\[\d+\]"
