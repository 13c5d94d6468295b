"""A temporary file, of which nothing but the content stays."""

import tempfile


class Spool:
    def __init__(self):
        self.sizes = {}

    def put(self, job, text):
        with tempfile.TemporaryFile() as file:
            self.sizes[job] = file.write(text.encode())


DOMAIN = Spool
CALLS = (("put", 1, "hello"), ("put", 2, "grüße"))
