"""The caller says which day it is."""

import datetime


class Library:
    def __init__(self):
        self.due = {}

    def lend(self, book, today):
        self.due[book] = today + datetime.timedelta(14)


DOMAIN = Library
CALLS = (("lend", "dune", datetime.date.today()), ("lend", "emma", datetime.date(2026, 2, 28)))
