from itertools import count
import random


class Registry:
    def __init__(self):
        self.items = []

    def add(self, x):
        self.items.append(x)
        return len(self.items)


REGISTRY = Registry()


def make_counter():
    n = 0

    def step():
        nonlocal n
        n += 1
        return n
    return step


step = make_counter()


def ids():
    n = 0
    while True:
        n += 1
        yield n


IDS = ids()
RNG = random.Random(42)


class Thing:
    made = 0

    def __init__(self):
        type(self).made += 1
        self.number = Thing.made


class Single:
    _instance = None

    @classmethod
    def get(cls):
        if cls._instance is None:
            cls._instance = cls()
        return cls._instance

    def __init__(self):
        self.hits = 0


def calls():
    calls.count += 1
    return calls.count


calls.count = 0


class Live:
    def __init__(self):
        self.out = []

    def a(self, x):
        self.out.append(REGISTRY.add(x))

    def b(self):
        self.out.append(step())

    def c(self):
        self.out.append(next(IDS))

    def d(self):
        self.out.append(RNG.random())

    def e(self):
        self.out.append(Thing().number)

    def f(self):
        single = Single.get()
        single.hits += 1
        self.out.append(single.hits)

    def g(self):
        self.out.append(calls())

    def h(self, k):
        globals()["last"] = k
        self.out.append(k)
