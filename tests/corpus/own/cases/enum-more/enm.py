import enum
import random
import time


class Kind(enum.Enum):
    A = "a"
    B = "b"

    @classmethod
    def _missing_(cls, value):
        return random.choice(list(cls))

    @classmethod
    def pick(cls):
        return random.choice([*cls])


class Step(enum.Enum):
    NOW = enum.member(lambda: time.time())
    ZERO = enum.member(lambda: 0)

    def __call__(self):
        return self.value()


class Enm:
    def __init__(self):
        self.out = []

    def a(self, text):
        self.out.append([Kind(text) for _ in range(40)])

    def b(self):
        self.out.append([Kind.pick() for _ in range(40)])

    def c(self):
        self.out.append(Step.NOW())
