class Tree:
    def __init__(self):
        self.kids: dict[str, set[str]] = {}

    def grow(self, parent, *kids):
        self.kids.setdefault(parent, set()).update(kids)

    def size(self, root):
        return 1 + sum(self.size(kid) for kid in self.kids.get(root, ()))

    def depth(self, root):
        best = 0
        for kid in self.kids.get(root, ()):
            best = max(best, self.depth(kid))
        return best + 1

    def below(self, root):
        found = {root}
        for kid in self.kids.get(root, ()):
            found |= self.below(kid)
        return found
