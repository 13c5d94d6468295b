"""How deep a folder may be is what the interpreter bears."""


class Folders:
    def __init__(self):
        self.depth = {}

    def measure(self, name, levels):
        def down(level):
            return level if level == levels else down(level + 1)

        try:
            self.depth[name] = down(0)
        except RecursionError:
            self.depth[name] = None


DOMAIN = Folders
CALLS = (("measure", "a", 10), ("measure", "b", 100_000), ("measure", "c", 1_200))
EXPECTED = 3, "measure", r"depth\['c'\]"
