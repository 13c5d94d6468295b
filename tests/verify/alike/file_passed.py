"""A file is read by the caller; a constant comes with the code."""

from pathlib import Path


class Site:
    HERE = Path(__file__).name

    def __init__(self):
        self.banner = ""

    def set_banner(self, text):
        self.banner = f"{self.HERE}: {text}"


DOMAIN = Site
CALLS = (("set_banner", Path(__file__).read_text("utf-8")[:20]), ("set_banner", "hi"))
