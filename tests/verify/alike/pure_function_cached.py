"""A cache of what depends on its arguments alone."""

from functools import lru_cache


@lru_cache
def price(cents, percent, seen={}):
    return seen.setdefault((cents, percent), cents * (100 - percent) // 100)


class Discounts:
    def __init__(self):
        self.given = []

    def buy(self, cents, percent):
        self.given.append(price(cents, percent))


DOMAIN = Discounts
CALLS = (("buy", 90, 10), ("buy", 90, 10), ("buy", 90, 20), ("buy", 90, 10))
