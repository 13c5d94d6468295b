def ordered(items):
    return sorted(items)


def count(items):
    return len(list(items))


def pick(items, wanted):
    for one in items:
        if one == wanted:
            return True
    return False


class App:
    def __init__(self):
        self.out = []
        self.tags = set()

    def add(self, *tags):
        self.tags.update(tags)
        found = [t for t in self.tags if t]
        self.out.append(ordered(found))
        self.out.append(count([*self.tags]))
        self.out.append(pick(list(self.tags), "a"))
        names = list(self.tags)
        names.sort(reverse=True)
        self.out.extend(names)
        first, *rest = sorted(self.tags)
        return first
