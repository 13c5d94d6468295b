from collections import defaultdict, deque
from collections.abc import Set


class Graph:
    def __init__(self):
        self.edges: defaultdict[str, set[str]] = defaultdict(set)
        self.trail = []

    def link(self, a, *bs):
        for b in bs:
            self.edges[a].add(b)
            self.edges[b].add(a)

    def bfs(self, start):
        queue, seen, order = deque([start]), {start}, []
        while queue:
            node = queue.popleft()
            order.append(node)
            for other in self.edges[node]:
                if other not in seen:
                    seen.add(other)
                    queue.append(other)
        self.trail = order
        return order
