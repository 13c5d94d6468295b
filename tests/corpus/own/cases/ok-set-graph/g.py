from collections import defaultdict, deque


class Graph:
    def __init__(self):
        self.edges: defaultdict[str, set[str]] = defaultdict(set)

    def link(self, a, *bs):
        for b in bs:
            self.edges[a].add(b)
            self.edges[b].add(a)

    def bfs(self, start):
        queue, seen, order = deque([start]), {start}, []
        while queue:
            node = queue.popleft()
            order.append(node)
            for other in sorted(self.edges[node] - seen):
                seen.add(other)
                queue.append(other)
        return order

    def reach(self, start):
        seen, stack = {start}, [start]
        while stack:
            node = stack.pop()
            for other in self.edges[node] - seen:
                seen.add(other)
                stack.append(other)
        return len(seen), start in seen
