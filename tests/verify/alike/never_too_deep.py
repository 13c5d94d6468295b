"""Recursion that ends long before the limit, and one that never ends."""


class Folders:
    def __init__(self):
        self.depth = {}

    def measure(self, name, levels):
        def down(level):
            return level if level == levels else down(level + 1)

        self.depth[name] = "too deep"
        self.depth[name] = down(0)


DOMAIN = Folders
CALLS = (("measure", "a", 100), ("measure", "b", -1))
