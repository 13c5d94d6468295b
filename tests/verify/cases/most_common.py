"""Equal counts come in the order in which they were first met."""

from collections import Counter


class Trends:
    def __init__(self):
        self.counts = {}
        self.top = []

    def read(self, text):
        for word, times in Counter(set(text.split())).items():
            self.counts[word] = self.counts.get(word, 0) + times

    def rank(self):
        self.top = Counter(self.counts).most_common(12)


DOMAIN = Trends
CALLS = (
    ("read", "one one one"),
    ("rank",),
    ("read", "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"),
    ("rank",),
)
EXPECTED = 3, "read", r"counts"
