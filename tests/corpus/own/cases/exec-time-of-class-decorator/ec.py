import time


def stamped(cls):
    original = cls.__init__

    def __init__(self, *args, **kw):
        original(self, *args, **kw)
        self.at = time.time()

    cls.__init__ = __init__
    return cls


@stamped
class Row:
    def __init__(self, n):
        self.n = n


class App:
    def __init__(self):
        self.rows = []

    def go(self, n):
        self.rows.append(Row(n))
