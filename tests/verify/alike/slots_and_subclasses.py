"""Slots, a named tuple, and containers with attributes of their own."""

from collections import OrderedDict, deque
from typing import NamedTuple


class Point(NamedTuple):
    x: int
    y: int


class Cell:
    __slots__ = ("note", "point")

    def __init__(self, x, y):
        self.point = Point(x, y)


class Grid:
    def __init__(self):
        self.cells, self.last = OrderedDict(), deque(maxlen=3)

    def put(self, x, y):
        cell = Cell(x, y)
        self.cells[cell.point] = cell
        self.last.append(cell)
        self.cells.move_to_end(cell.point, last=False)


DOMAIN = Grid
CALLS = (("put", 1, 2), ("put", 2, 1), ("put", 1, 2), ("put", 9, 9))
