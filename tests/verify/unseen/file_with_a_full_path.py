"""A file that everybody finds, until somebody changes it."""

from pathlib import Path


class Site:
    def __init__(self):
        self.size = 0

    def load(self):
        self.size = Path(__file__).stat().st_size


DOMAIN = Site
CALLS = (("load",), ("load",), ("load",))
