"""The environment, the clock and the order of a set, in queries and nowhere else."""

import os
import time

from coopy import readonly

ROOT = True


class Prices:
    def __init__(self):
        self.prices = {}

    def set_net(self, article, cents):
        self.prices[article] = cents

    @readonly
    def show(self):
        return os.environ.get("COOPYTEST_REGION"), time.time(), list(set(self.prices)), time.strftime("%A")


DOMAIN = Prices
CALLS = (("set_net", "tea", 100), ("show",), ("set_net", "rice", 300), ("show",))
