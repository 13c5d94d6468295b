"""A setting that is looked up when it is needed."""

import os

RATES = {"eu": 20, "us": 7}


class Prices:
    def __init__(self):
        self.prices = {}

    def set_net(self, article, cents):
        region = os.environ.get("COOPYTEST_REGION", "us")
        self.prices[article] = cents * (100 + RATES[region]) // 100

    def drop(self, article):
        self.prices.pop(article, None)


DOMAIN = Prices
CALLS = (("drop", "tea"), ("drop", "tea"), ("set_net", "tea", 100), ("take_snapshot",), ("set_net", "rice", 300))
EXPECTED = 3, "set_net", r"prices\['tea'\]"
