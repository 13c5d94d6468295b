"""Who holds a lock, by process."""

import os


class Locks:
    def __init__(self):
        self.held = {}

    def take(self, name):
        return self.held.setdefault(name, f"worker-{os.getpid()}")

    def release(self, name):
        return self.held.pop(name, None)


DOMAIN = Locks
CALLS = (("release", "a"), ("take", "a"), ("release", "a"), ("take", "b"))
EXPECTED = 2, "take", r"held\['a'\]"
