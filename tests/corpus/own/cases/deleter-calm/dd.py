import copy
import time


class Row:
    def __init__(self, n):
        self.n = n
        self.gone = 0

    @property
    def x(self):
        return self.n

    @x.deleter
    def x(self):
        self.gone += 1

    @property
    def at(self):
        return time.time()

    @at.deleter
    def at(self):
        self.gone += 2


class Like:
    def __init__(self, n):
        self.n = n

    def __eq__(self, other):
        return self.n == other.n

    __hash__ = None

    def __lt__(self, other):
        return time.time() < other.n

    def __deepcopy__(self, memo):
        return Like(self.n + 1)

    def __copy__(self):
        return Like(time.time())


class Desk:
    def __init__(self):
        self.out = []

    def drop(self, n):
        row = Row(n)
        del row.x
        del row.at
        self.out.append(row.gone)

    def among(self, n):
        self.out.append(Like(n) in [Like(1), Like(2)])

    def copied(self, n):
        self.out.append(copy.deepcopy([Like(n)])[0].n)
