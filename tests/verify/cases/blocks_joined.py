"""Blocks of bytes without repeats, put together again."""


class Store:
    def __init__(self):
        self.files = {}

    def put(self, name, *blocks):
        self.files[name] = b"".join(block for block in set(blocks) if block)


DOMAIN = Store
CALLS = (
    ("put", "a", b"only one"),
    ("put", "empty"),
    ("put", "b", *(b"block %d" % number for number in range(16))),
    ("put", "c", b"x", b"x"),
)
EXPECTED = 3, "put", r"files\['b'\]"
