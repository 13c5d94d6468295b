"""A dictionary made from a set of numbers that fit: their order is their value, and it is sorted besides."""


class Stock:
    def __init__(self):
        self.counts = {}

    def begin(self, *articles):
        wanted = set(articles)
        self.counts = {article: 0 for article in articles if article in wanted}

    def add(self, article):
        self.counts[article] += 1


DOMAIN = Stock
CALLS = (("begin", *"stock"), ("add", "o"), ("begin", *"shelf"))
