from collections import Counter
from itertools import chain
import json


def names(text):
    return frozenset(text.split())


class Ord:
    def __init__(self):
        self.out = []
        self.members = set()
        self.count = {}

    def a(self, text):
        found = []
        for w in names(text):
            found.append(w)
        found.sort()
        return found

    def b(self, text):
        lengths = {len(w) for w in names(text)}
        total = 0
        for n in lengths:
            total += n
        return total, sum(len(w) for w in names(text))

    def c(self, text):
        groups = {}
        for w in sorted(names(text)):
            groups.setdefault(len(w), []).append(w)
        return groups

    def d(self, text):
        return json.dumps(sorted(names(text))), sorted(list(names(text)), reverse=True)

    def e(self, text):
        self.members.update(chain(names(text), ["z"]))
        for w in names(text):
            if w in self.members:
                self.members.remove(w)
        return len(list(names(text)))

    def f(self, text):
        counts = {}
        for w in names(text):
            counts[w] = len(w)
        return sorted(counts.items()), counts["be"], len(counts), sum(counts.values())

    def g(self, text):
        for w in names(text):
            if w == "zeta":
                return True
        return False

    def h(self, text):
        for w in names(text):
            if len(w) > 100:
                raise ValueError("too long")

    def i(self, text):
        best = 0
        for w in names(text):
            if len(w) > best:
                best = len(w)
        return best

    def j(self, text):
        longest = max(len(w) for w in names(text))
        return {w for w in names(text) if len(w) == longest} == {"gamma"}

    def k(self, text):
        found = False
        for w in names(text):
            found = found or w.startswith("g")
        return found, frozenset(w.upper() for w in names(text))

    def l(self, text):
        return tuple(sorted(set(map(str.upper, names(text))) | {"Q"}))

    def m(self, text):
        copy = set(names(text))
        while copy:
            copy.discard(min(copy))
        return not copy

    def n(self, text):
        (only,) = names(text) & {"be"}
        return only
