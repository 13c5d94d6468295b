"""The same in a module."""

from itertools import count

numbers = count(1)


class Invoices:
    def __init__(self):
        self.issued = {}

    def issue(self, customer):
        self.issued[customer] = f"INV-{next(numbers):05}"

    def cancel(self, customer):
        self.issued.pop(customer, None)


DOMAIN = Invoices
CALLS = (("issue", "ann"), ("issue", "bob"), ("take_snapshot",), ("cancel", "bob"), ("issue", "cy"), ("cancel", "cy"))
EXPECTED = 4, "issue", r"issued\['cy'\]"
