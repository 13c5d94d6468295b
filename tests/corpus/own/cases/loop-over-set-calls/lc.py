class Log:
    def __init__(self):
        self.lines = []

    def write(self, line):
        self.lines.append(line)


class App:
    def __init__(self):
        self.log = Log()
        self.index = {}
        self.n = 0

    def a(self, text):
        for w in set(text.split()):
            self.log.write(w)

    def b(self, text):
        for w in set(text.split()):
            self._number(w)

    def _number(self, w):
        self.n += 1
        self.index[w] = self.n

    def c(self, text):
        for w in set(text.split()):
            self.index[w] = len(self.index)

    def d(self, text):
        for i, w in enumerate(sorted(set(text.split()))):
            self.index[w] = i
