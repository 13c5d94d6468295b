import copy
import random
import time


class Row:
    def __init__(self, n):
        self.n = n
        self.gone = []

    @property
    def x(self):
        return self.n

    @x.setter
    def x(self, n):
        self.n = n

    @x.deleter
    def x(self):
        self.gone.append(time.time())

    def __delattr__(self, name):
        if name != "x":
            self.gone.append(random.random())
        else:
            super().__delattr__(name)


class Like:
    def __init__(self, n):
        self.n = n

    def __eq__(self, other):
        return random.random() < 0.5

    __hash__ = None

    def __deepcopy__(self, memo):
        return Like(self.n * random.random())


class Desk:
    def __init__(self):
        self.out = []

    def drop(self, n):
        row = Row(n)
        row.x = row.x + 1
        del row.x
        del row.n
        self.out.append(row.gone)

    def among(self, n):
        self.out.append([Like(n) in [Like(1), Like(2)] for _ in range(9)])

    def copied(self, n):
        self.out.append(copy.deepcopy({"a": [Like(n)]})["a"][0].n)
