"""Paths are text until somebody opens them."""

from pathlib import PurePosixPath


class Sync:
    def __init__(self):
        self.files = {}

    def note(self, path, modified):
        self.files[PurePosixPath(path).parent / "latest"] = modified, PurePosixPath(path).suffix


DOMAIN = Sync
CALLS = (("note", "/a/b.txt", 1.5), ("note", "c/d/e.tar.gz", 2.5))
