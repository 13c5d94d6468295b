import random


class Registry(type):
    kinds = {}

    def __new__(mcls, name, bases, ns):
        made = super().__new__(mcls, name, bases, ns)
        mcls.kinds[name.lower()] = made
        return made


class Card(metaclass=Registry):
    power = 0

    def play(self):
        return self.power


class Joker(Card):
    def play(self):
        return random.randrange(10**9)


class King(Card):
    power = 13


class Game:
    def __init__(self):
        self.table = []

    def play(self, kind):
        self.table.append(Registry.kinds[kind]().play())
