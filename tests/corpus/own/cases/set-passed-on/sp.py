def first(items):
    return items[0]


def keep(into, items):
    into.extend(items)


def as_text(items):
    return "|".join(items)


class App:
    def __init__(self):
        self.out = []
        self.tags = set()

    def add(self, *tags):
        self.tags.update(tags)

    def a(self):
        return first(list(self.tags))

    def b(self):
        found = [t for t in self.tags if t]
        keep(self.out, found)

    def c(self):
        return as_text([t for t in self.tags])

    def d(self):
        weights = {"a": 0.1, "b": 0.2, "c": 0.3}
        total = 0.0
        for t in self.tags:
            total += weights.get(t, 0.7)
        return total
