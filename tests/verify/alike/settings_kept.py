"""What the environment said is passed in, and kept."""

import os


class Prices:
    def __init__(self):
        self.settings, self.prices = {}, {}

    def configure(self, settings):
        self.settings.update(settings)

    def set_net(self, article, cents):
        self.prices[article] = cents * (100 + int(self.settings.get("rate", 0))) // 100


DOMAIN = Prices
CALLS = (("configure", {"rate": os.environ.get("COOPYTEST_CREDIT", "20")}), ("set_net", "tea", 100))
