"""id() tells objects apart for as long as one action takes."""


class Tree:
    def __init__(self):
        self.nodes, self.size = [], 0

    def add(self, *names):
        node = {"names": names}
        self.nodes += [node, node]
        self.size = len({id(one): one for one in self.nodes})


DOMAIN = Tree
CALLS = (("add", "a", "b"), ("add", "c"))
