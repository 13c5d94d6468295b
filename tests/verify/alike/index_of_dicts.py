"""A dictionary of sets, compared and counted, never listed unsorted."""

from collections import defaultdict


class Index:
    def __init__(self):
        self.pages = defaultdict(set)
        self.sizes = {}

    def tag(self, page, *tags):
        for tag in tags:
            self.pages[tag].add(page)
        self.sizes = {tag: len(pages) for tag, pages in self.pages.items()}


DOMAIN = Index
CALLS = tuple(("tag", page, *"abcdef"[: len(page)]) for page in ("one", "two", "three", "four", "fives"))
