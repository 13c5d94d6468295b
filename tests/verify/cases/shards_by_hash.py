"""hash() of a string is salted anew in each process."""


class Shards:
    def __init__(self):
        self.shards = [[] for _ in range(8)]

    def put(self, *keys):
        for key in keys:
            self.shards[hash(key) % len(self.shards)].append(key)


DOMAIN = Shards
CALLS = (("put",), ("put", *range(9)), ("put", *(f"key {number}" for number in range(24))), ("put", 3))
EXPECTED = 3, "put", r"shards"
