class Node:
    def __init__(self, n):
        self.n = n


class Ident:
    def __init__(self):
        self.out = []
        self.by_id = {}

    def a(self, *ns):
        nodes = [Node(n) for n in ns]
        self.out.append([n.n for n in sorted(nodes, key=id)])

    def b(self, *names):
        self.out.append(sorted(names, key=hash))

    def c(self, *ns):
        self.out.append(",".join(map(str, [Node(n) for n in ns])))

    def d(self, n):
        node = Node(n)
        self.by_id[id(node)] = n

    def e(self, name):
        self.out.append(hash((name, 1)) % 100)

    def f(self, *ns):
        nodes = {Node(n) for n in ns}
        self.out.append([n.n for n in nodes])

    def g(self, n):
        self.out.append(object().__hash__())

    def h(self, name):
        self.out.append(name.__hash__() % 97)
