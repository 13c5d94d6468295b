"""How many are alive depends on when the collector came by: each file knows its pool, and the pool knows it."""

import weakref


class File:
    opened = weakref.WeakSet()

    def __init__(self, name):
        self.name, self.me = name, self
        File.opened.add(self)


class Files:
    def __init__(self):
        self.sizes = {}
        self.in_use = 0

    def read(self, name):
        self.sizes[name] = len(File(name).name)

    def count(self):
        self.in_use = len(File.opened)


DOMAIN = Files
CALLS = (("read", "a"), ("read", "bc"), ("count",), ("read", "d"), ("read", "e"), ("read", "f"), ("read", "g"))
EXPECTED = 3, "count", r"in_use"
