"""The date of UTC, and what it decides: the same all day, and perhaps all year."""

from datetime import UTC, datetime


class Invoices:
    def __init__(self):
        self.totals = []

    def bill(self, cents):
        rate = 19 if datetime.now(UTC).year > 2020 else 16
        self.totals.append(cents * (100 + rate) // 100)


DOMAIN = Invoices
CALLS = (("bill", 100), ("bill", 250))
