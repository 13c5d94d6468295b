import enum
import random
from functools import partial


def flat(rate, n):
    return n * rate


def lucky(rate, n):
    return n * rate * random.random()


class Fee(enum.Enum):
    FLAT = (partial(flat, 2),)
    LUCKY = (partial(lucky, 3),)

    def __init__(self, how):
        self.how = how

    def __call__(self, n):
        return self.how(n)


class Bank:
    def __init__(self):
        self.fees = []

    def pay(self, name, n):
        self.fees.append(Fee[name](n))
