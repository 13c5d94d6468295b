"""A dictionary keeps the order in which it was filled: here, that of a set."""


class Stock:
    def __init__(self):
        self.counts = {}

    def begin(self, *articles):
        self.counts = dict.fromkeys(set(articles), 0)

    def add(self, article, count):
        self.counts[article] += count


DOMAIN = Stock
CALLS = (
    ("begin", "nut", "nut"),
    ("add", "nut", 3),
    ("begin", *(f"article {letter}" for letter in "abcdefghijklmnop")),
    ("add", "article c", 2),
)
EXPECTED = 3, "begin", r"counts"
