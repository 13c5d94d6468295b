"""It was kept here, and there it would be undone."""

import os

from coopy import abort_exception


class Booking:
    def __init__(self):
        self.seats = {}

    @abort_exception
    def book(self, seat, name):
        self.seats[seat] = name
        if seat > 10 and "COOPYTEST_CREDIT" not in os.environ:
            raise ValueError("no such seat")


DOMAIN = Booking
CALLS = (("book", 1, "ann"), ("book", 2, "bob"), ("book", 11, "cy"), ("book", 3, "di"))
EXPECTED = 3, "book", None
