"""The keys that two dictionaries share are a set, though the dictionaries have an order."""


class Merge:
    def __init__(self):
        self.left, self.right, self.conflicts = {}, {}, []

    def put(self, side, values):
        getattr(self, side).update(values)

    def compare(self):
        self.conflicts = [name for name in self.left.keys() & self.right.keys() if self.left[name] != self.right[name]]


DOMAIN = Merge
NAMES = [f"field_{letter}" for letter in "abcdefghijklmnop"]
CALLS = (("put", "left", dict.fromkeys(NAMES, 1)), ("put", "right", dict.fromkeys(NAMES, 2)), ("compare",), ("compare",))
EXPECTED = 3, "compare", r"conflicts\[\d+\]"
