"""What a module looks up as it is imported is as it is here."""

import os

ROOT = True
REGION = os.environ.get("COOPYTEST_REGION")


class Prices:
    def __init__(self):
        self.region = None

    def choose(self):
        self.region = REGION


DOMAIN = Prices
CALLS = (("choose",), ("choose",))
