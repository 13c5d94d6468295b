"""functools.lru_cache on a method: the first answer stays, until a restart."""

from functools import lru_cache


class Discounts:
    def __init__(self):
        self.spent = {}
        self.given = []

    @lru_cache
    def _discount(self, customer):
        return 10 if self.spent.get(customer, 0) > 100 else 0

    def buy(self, customer, price):
        self.given.append(price * self._discount(customer) // 100)
        self.spent[customer] = self.spent.get(customer, 0) + price


DOMAIN = Discounts
CALLS = (("buy", "ann", 90), ("buy", "ann", 90), ("buy", "ann", 100), ("buy", "ann", 100))
EXPECTED = 3, "buy", r"given\[2\]"
