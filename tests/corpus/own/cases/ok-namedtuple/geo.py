from collections import namedtuple
from typing import NamedTuple

Pair = namedtuple("Pair", "left right", defaults=(0,))


class Point(NamedTuple):
    x: int
    y: int = 0

    @property
    def norm(self):
        return abs(self.x) + abs(self.y)


class Map:
    def __init__(self):
        self.pins = []

    def pin(self, x, y):
        p = Point(x, y)
        q = Pair(p.norm)
        self.pins.append((p, q._asdict(), hash((1, 2)), p == (x, y)))
