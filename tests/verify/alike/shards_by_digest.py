"""hashlib and zlib give the same everywhere, and so does hash() of a whole number."""

import hashlib
import zlib


class Shards:
    def __init__(self):
        self.shards = [[] for _ in range(8)]

    def put(self, *keys):
        for key in keys:
            number = hashlib.sha256(key.encode()).digest()[0] + zlib.crc32(key.encode()) + hash(len(key))
            self.shards[number % 8].append(key)


DOMAIN = Shards
CALLS = (("put", *(f"key {number}" for number in range(24))),)
