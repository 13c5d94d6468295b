import enum
import random
from functools import partial


def lucky(n):
    return n * random.random()


class Fee(enum.Enum):
    FLAT = (abs,)
    LUCKY = (lucky,)


class Kind(enum.Enum):
    HALF = ("half", 2)
    FULL = ("full", 1)

    def __new__(cls, word, part):
        made = object.__new__(cls)
        made._value_ = word
        made.part = part
        return made


class Bank:
    def __init__(self):
        self.fees = []

    def pay(self, name, n):
        self.fees.append(Fee[name].value[0](n))

    def split(self, name, n):
        self.fees.append(n / Kind(name).part)
