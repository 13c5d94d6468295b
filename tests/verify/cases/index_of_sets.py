"""A dictionary of sets, rendered to a list for a page."""

from collections import defaultdict


class Index:
    def __init__(self):
        self.pages = defaultdict(set)
        self.rendered = []

    def tag(self, page, *tags):
        for tag in tags:
            self.pages[tag].add(page)

    def render(self):
        self.rendered = [(tag, page) for tag in sorted(self.pages) for page in self.pages[tag]]


DOMAIN = Index
CALLS = (*(("tag", f"page {letter}", "all", letter) for letter in "abcdefghijklm"), ("render",), ("tag", "page z", "all"))
EXPECTED = 14, "render", r"rendered\[\d+\]"
