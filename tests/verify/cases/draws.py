"""random without a seed, by way of a module that was imported under another name."""

import random as dice


class Lottery:
    def __init__(self):
        self.tickets = []
        self.won = []

    def buy(self, *names):
        self.tickets += names

    def draw(self):
        self.won = dice.sample(self.tickets, k=len(self.tickets))


DOMAIN = Lottery
CALLS = (("buy", *"abcdefghijklmnop"), ("draw",), ("buy", *"qrst"), ("draw",))
EXPECTED = 2, "draw", r"won\[\d+\]"
