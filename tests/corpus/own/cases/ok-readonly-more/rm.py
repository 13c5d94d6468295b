import copy
from collections import Counter, defaultdict
from coopy.decorators import readonly


class Line:
    def __init__(self, n=0):
        self.n = n
        self.tags = []

    def with_tag(self, t):
        new = Line(self.n)
        new.tags = self.tags + [t]
        return new


class Report:
    def __init__(self):
        self.rows = []

    def add(self, row):
        self.rows.append(row)
        return self


class App:
    def __init__(self):
        self.lines = [Line(1), Line(2)]

    @readonly
    def a(self):
        report = Report()
        for line in self.lines:
            report.add(line.n).add(line.with_tag("x").tags)
        report.rows.sort(key=str)
        return report.rows

    @readonly
    def b(self):
        twin = copy.deepcopy(self.lines)
        twin[0].n = 99
        twin.append(Line())
        return len(twin), self.lines[0].n

    @readonly
    def c(self):
        counts = Counter(line.n for line in self.lines)
        counts[5] += 1
        groups = defaultdict(list)
        for line in self.lines:
            groups[line.n % 2].append(line)
        del counts[5]
        return dict(counts), sorted(groups)

    @readonly
    def d(self):
        lines = sorted(self.lines, key=lambda line: -line.n)
        lines.pop()
        lines[0:1] = []
        ns = {line.n for line in self.lines}
        ns.discard(1)
        ns |= {7}
        state = dict(vars(self))
        state.clear()
        return ns

    def act(self):
        self.lines.append(Line(3))
        return len(self.lines)
