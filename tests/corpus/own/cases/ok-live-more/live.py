from dataclasses import dataclass, field
import random

LIMITS = {"a": [1, 2]}
COLORS = ["red", "green"]


class Registry:
    def __init__(self):
        self.items = []

    def add(self, x):
        self.items.append(x)
        return len(self.items)


def counter():
    n = 0

    def step():
        nonlocal n
        n += 1
        return n
    return step


def register(items=None):
    items = items or []
    items.append(1)
    return items


BOOT = Registry()
BOOT.add("boot")


class Thing:
    made = 0
    tags: list = []

    def __init__(self):
        self.made += 1
        self.tags = [*self.tags, "x"]


@dataclass
class Row:
    cells: list = field(default_factory=list)


class Live:
    kinds = ("a", "b")

    def __init__(self):
        self.out = []
        self.registry = Registry()
        self.limits = {k: list(v) for k, v in LIMITS.items()}
        self.rng = random.Random(7)

    def a(self, x):
        self.out.append(self.registry.add(x))
        self.limits["a"].append(x)

    def b(self):
        step = counter()
        step()
        self.out.append(step())
        self.out.append(register()[0])

    def c(self):
        rows = [Row() for _ in self.kinds]
        rows[0].cells.append(1)
        self.out.append(len(rows[1].cells))
        self.out.append(self.rng.random())

    def d(self):
        t = Thing()
        self.out.append((t.made, t.tags, len(BOOT.items)))
        colors = list(COLORS)
        colors.append("blue")
        self.out.append(sorted(colors))
        COLORS.index("red")

    def e(self):
        names = COLORS
        names = names + ["x"]
        names.append("y")
        local = LIMITS["a"][:]
        local.pop()
        return names, local
