"""JSON has no sets: default=list helps out."""

import json


class Export:
    def __init__(self):
        self.topics = {}
        self.written = ""

    def subscribe(self, topic, *names):
        self.topics.setdefault(topic, set()).update(names)

    def export(self):
        self.written = json.dumps(self.topics, default=list, sort_keys=True)


DOMAIN = Export
CALLS = (
    ("subscribe", "news", *(f"reader {letter}" for letter in "abcdefghijklmnop")),
    ("subscribe", "sport", "ann"),
    ("export",),
    ("export",),
)
EXPECTED = 3, "export", r"written"
