import enum
import random


def flat(n):
    return n * 2


class Fee(enum.Enum):
    FLAT = 1
    LUCKY = 2

    @property
    def rate(self):
        return {Fee.FLAT: 2, Fee.LUCKY: 3}[self]

    @classmethod
    def any(cls):
        return random.choice(list(cls))


class Bank:
    def __init__(self):
        self.fees = []

    def pay(self, name, n):
        self.fees.append(Fee[name].rate * flat(n) + Fee(2).value + len(Fee))
