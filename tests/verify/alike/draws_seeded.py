"""A generator with a seed, and coopy's."""

import random

import coopy


class Lottery:
    def __init__(self):
        self.tickets, self.won = [], []

    def buy(self, *names):
        self.tickets += names

    def draw(self, seed):
        first = random.Random(seed).sample(self.tickets, k=len(self.tickets))
        self.won.append((first[0], coopy.random.choice(self.tickets), coopy.random.randint(1, 1 << 40)))


DOMAIN = Lottery
CALLS = (("buy", *"abcdefghij"), ("draw", 7), ("draw", "x"))
