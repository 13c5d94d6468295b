"""A file beside the program: there when the program ran."""

from pathlib import Path


class Site:
    def __init__(self):
        self.banner = ""

    def clear(self):
        self.banner = ""

    def load_banner(self):
        self.banner = Path("banner.txt").read_text("ascii")


DOMAIN = Site
CALLS = (("clear",), ("load_banner",), ("clear",))
EXPECTED = 2, "load_banner", None  # raises there: no state to compare
