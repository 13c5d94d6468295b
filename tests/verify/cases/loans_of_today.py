"""A book is lent for two weeks from today."""

import datetime


class Library:
    def __init__(self):
        self.due = {}

    def lend(self, book, days=14):
        if book in self.due:
            raise ValueError(f"{book} is lent")
        self.due[book] = datetime.date.today() + datetime.timedelta(days)

    def bring(self, book):
        del self.due[book]


DOMAIN = Library
CALLS = (("bring", "dune"), ("lend", "dune"), ("lend", "dune"), ("bring", "dune"))
EXPECTED = 2, "lend", r"due\['dune'\]"
