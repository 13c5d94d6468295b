"""A seeded generator that is part of the state: a snapshot holds where it stands."""

import random


class Dice:
    def __init__(self):
        self.generator = random.Random(42)
        self.rolled = []

    def roll(self, times):
        self.rolled += [self.generator.randint(1, 6) for _ in range(times)]


DOMAIN = Dice
CALLS = (("roll", 3), ("roll", 5), ("roll", 2), ("roll", 9))
