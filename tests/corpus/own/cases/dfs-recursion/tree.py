class Tree:
    def __init__(self):
        self.kids: dict[str, set[str]] = {}
        self.walked = []

    def grow(self, parent, *kids):
        self.kids.setdefault(parent, set()).update(kids)

    def walk(self, root):
        self.walked = []
        self._visit(root)
        return self.walked

    def _visit(self, node):
        self.walked.append(node)
        for kid in self.kids.get(node, set()):
            self._visit(kid)
