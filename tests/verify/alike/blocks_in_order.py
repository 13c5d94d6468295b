"""Without repeats and in order: dict.fromkeys is the ordered set."""


class Store:
    def __init__(self):
        self.files = {}

    def put(self, name, *blocks):
        self.files[name] = b"".join(dict.fromkeys(blocks))


DOMAIN = Store
CALLS = (("put", "a", *(b"block %d" % (number % 7) for number in range(20))), ("put", "b"))
