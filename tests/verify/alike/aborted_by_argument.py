"""Undone because of what the caller passed; what was undone because of the environment is not run again either."""

import os

from coopy import abort_exception

ROOT = True


class Booking:
    def __init__(self):
        self.seats = {}

    @abort_exception
    def book(self, seat, name):
        self.seats[seat] = name
        if seat > 10 or (seat == 9 and "COOPYTEST_CREDIT" in os.environ):
            raise ValueError("no such seat")


DOMAIN = Booking
CALLS = (("book", 1, "ann"), ("book", 11, "bob"), ("take_snapshot",), ("book", 9, "cy"), ("book", 3, "di"))
