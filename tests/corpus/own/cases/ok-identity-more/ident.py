import hashlib
import zlib


class Node:
    def __init__(self, n):
        self.n = n

    def __repr__(self):
        return f"Node({self.n})"

    def __hash__(self):
        return hash(self.n)

    def __eq__(self, other):
        return isinstance(other, Node) and self.n == other.n


class Ident:
    def __init__(self):
        self.out = []

    def a(self, *ns):
        nodes = [Node(n) for n in ns]
        self.out.append([n.n for n in sorted(nodes, key=lambda n: n.n)])
        self.out.append(nodes[0] is nodes[-1])
        self.out.append(",".join(map(str, nodes)) + f"{nodes!r}" + "%s" % nodes[0])

    def b(self, name):
        self.out.append(int(hashlib.md5(name.encode()).hexdigest(), 16) % 7 + zlib.adler32(name.encode()))
        seen = {}
        seen[Node(1)] = name
        return Node(1) in seen, len({Node(1), Node(1)})

    def c(self, id, hash):
        return id(3), hash("x")

    def d(self, x):
        other = x
        if other is x:
            return True
