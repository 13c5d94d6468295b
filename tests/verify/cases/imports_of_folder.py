"""What lies in the working directory."""

import os


class Imports:
    def __init__(self):
        self.batches = []

    def scan(self):
        self.batches.append(sorted(os.listdir()))

    def done(self):
        self.batches.clear()


DOMAIN = Imports
CALLS = (("done",), ("done",), ("scan",), ("done",))
EXPECTED = 3, "scan", r"batches\[0\]"
