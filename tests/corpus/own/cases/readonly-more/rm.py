from dataclasses import dataclass, field, replace

from coopy.decorators import readonly


@dataclass
class Line:
    n: int = 0
    tags: list = field(default_factory=list)

    def bump(self):
        self.n += 1
        return self


class App:
    def __init__(self):
        self.lines = [Line(), Line()]
        self.by = {"a": Line()}
        self.seen = set()
        self.it = iter([1, 2, 3])

    @readonly
    def a(self):
        for line in self.lines:
            line.tags.append(1)

    @readonly
    def b(self):
        return [line.bump().n for line in self.lines]

    @readonly
    def c(self, k):
        return self.by.setdefault(k, Line()).n

    @readonly
    def d(self, x):
        self.seen.add(x)
        return x in self.seen

    @readonly
    def e(self):
        first, *rest = self.lines
        first.n, x = 5, 6
        return x

    @readonly
    def f(self):
        lines = self.lines
        lines.reverse()
        return len(lines)

    @readonly
    def g(self):
        self.by["a"].tags[:] = []
        return 1

    @readonly
    def h(self):
        fresh = replace(self.lines[0], n=9)
        fresh.n = 10
        fresh.tags.append(3)
        return fresh.n

    def act(self):
        return [line.n for line in self.lines], [line.tags for line in self.lines], len(self.by), len(self.seen)
