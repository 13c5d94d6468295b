"""A module's own tables, which nobody changes, and a class that counts for a query only."""

RATES = {"eu": 20, "us": 7}


class Prices:
    looked = 0

    def __init__(self):
        self.prices = {}

    def set_net(self, article, cents, region="eu"):
        Prices.looked += 1
        self.prices[article] = cents * (100 + RATES[region]) // 100


DOMAIN = Prices
CALLS = (("set_net", "tea", 100), ("set_net", "rice", 300, "us"), ("set_net", "salt", 50), ("set_net", "oil", 70))
