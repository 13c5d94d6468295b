"""What __del__ does is done some time."""


class Handle:
    closed = []

    def __init__(self, name):
        self.name, self.again = name, [self]

    def __del__(self):
        Handle.closed.append(self.name)


class Handles:
    def __init__(self):
        self.log = []

    def use(self, name):
        Handle(name)

    def review(self):
        self.log, Handle.closed = self.log + sorted(Handle.closed), []


DOMAIN = Handles
CALLS = (("review",), ("use", "a"), ("use", "b"), ("review",), *(("use", letter) for letter in "cdefg"))
EXPECTED = 4, "review", r"log"
