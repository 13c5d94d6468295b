class Names(set):
    def listed(self):
        return list(self)

    def joined(self):
        return " ".join(self)


class Ss:
    def __init__(self):
        self.names = Names()

    def add(self, *xs):
        self.names.update(xs)
        return self.names.listed()

    def text(self):
        return self.names.joined()

    def each(self):
        return [n for n in self.names]
