from collections import OrderedDict, UserList


class Stack(list):
    def push(self, x):
        self.append(x)
        return self

    @property
    def top(self):
        return self[-1]


class Index(dict):
    def __missing__(self, key):
        return key * 2


class Lru(OrderedDict):
    size = 2

    def __setitem__(self, key, value):
        super().__setitem__(key, value)
        self.move_to_end(key)
        if len(self) > self.size:
            self.popitem(last=False)


class Names(set):
    def first(self):
        return min(self)


class Path(str):
    @property
    def parts(self):
        return self.split("/")


class Ib:
    def __init__(self):
        self.stack = Stack()
        self.index = Index()
        self.lru = Lru()
        self.names = Names()
        self.lines = UserList()

    def go(self, x):
        self.stack.push(x).push(x)
        self.index[x] = self.index["q"]
        self.lru[x] = 1
        self.names.add(x)
        self.lines.append(x)
        return self.stack.top, self.names.first(), Path("a/b").parts, sorted(self.names), len(self.lines)
