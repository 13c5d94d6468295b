"""Where something was put aside."""

import os
import tempfile


class Spool:
    def __init__(self):
        self.files = {}

    def put(self, job, text):
        handle, path = tempfile.mkstemp(prefix="coopytest-")
        os.write(handle, text.encode())
        os.close(handle)
        os.unlink(path)
        self.files[job] = path

    def done(self, job):
        self.files.pop(job, None)


DOMAIN = Spool
CALLS = (("done", 1), ("put", 1, "hello"), ("done", 1), ("put", 2, "world"))
EXPECTED = 2, "put", r"files\[1\]"
