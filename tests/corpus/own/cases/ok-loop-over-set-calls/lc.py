class Counter:
    def __init__(self):
        self.total = 0
        self.seen = set()

    def add(self, w):
        self.total += len(w)
        self.seen.add(w)


class App:
    def __init__(self):
        self.counter = Counter()
        self.users = {}

    def a(self, text):
        for w in set(text.split()):
            self.counter.add(w)
        return self.counter.total

    def b(self, *names):
        for name in names:
            self.users[name] = {"n": 0}
        for name in set(names):
            self.users[name]["n"] += 1
        return self.users

    def c(self, *names):
        for name in set(names):
            self.users.pop(name, None)

    def d(self, *names):
        for name in set(names):
            if name in self.users:
                del self.users[name]
        return max((len(n) for n in set(names)), default=0)
