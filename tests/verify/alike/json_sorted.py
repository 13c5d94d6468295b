"""JSON with sorted lists for sets."""

import json


class Export:
    def __init__(self):
        self.topics, self.written = {}, ""

    def subscribe(self, topic, *names):
        self.topics.setdefault(topic, set()).update(names)
        self.written = json.dumps(self.topics, default=sorted)


DOMAIN = Export
CALLS = (("subscribe", "news", *"qwertyuiop"), ("subscribe", "sport", "ann"))
