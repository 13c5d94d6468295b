class Sd:
    def __init__(self):
        self.out = []
        self.links = {}

    def dedupe(self, items):
        seen = set()
        out = []
        for item in items:
            if item not in seen:
                seen.add(item)
                out.append(item)
        return out

    def link(self, a, b):
        self.links.setdefault(a, set()).add(b)
        self.links.setdefault(b, set()).add(a)

    def unlink(self, a):
        for other in self.links.pop(a, set()):
            self.links[other].discard(a)

    def connected(self, a, b):
        seen = set()
        stack = [a]
        while stack:
            node = stack.pop()
            if node == b:
                return True
            if node in seen:
                continue
            seen.add(node)
            stack.extend(self.links.get(node, ()))
        return False

    def degree(self):
        return {a: len(bs) for a, bs in self.links.items()}

    def merge(self, other):
        for k, vs in other.items():
            self.links.setdefault(k, set()).update(vs)

    def topo(self, deps):
        deps = {k: set(v) for k, v in deps.items()}
        order = []
        while deps:
            ready = sorted(k for k, v in deps.items() if not v)
            if not ready:
                raise ValueError("cycle")
            for k in ready:
                order.append(k)
                del deps[k]
            for v in deps.values():
                v.difference_update(ready)
        return order
