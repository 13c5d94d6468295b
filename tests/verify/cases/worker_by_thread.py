"""Which thread did it."""

import threading


class Jobs:
    def __init__(self):
        self.done = []

    def prepare(self, job):
        self.done.append((job, "nobody"))

    def finish(self, job):
        self.done.append((job, threading.current_thread().name))


DOMAIN = Jobs
CALLS = (("prepare", 1), ("finish", 1), ("prepare", 2), ("finish", 2))
EXPECTED = 2, "finish", r"done\[1\]"
