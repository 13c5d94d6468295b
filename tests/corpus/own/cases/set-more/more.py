from collections import deque
from collections.abc import Iterable, KeysView
from functools import reduce
import json


def ordered(items: Iterable[str]) -> list[str]:
    return [i for i in items]


def show(items):
    return ", ".join(items)


class More:
    def __init__(self):
        self.tags: set[str] = set()
        self.out = []
        self.index = {}

    def add(self, *tags):
        self.tags |= set(tags)

    def a(self):
        return self._random.choice(list(self.tags))

    def b(self):
        return show(self.tags)

    def c(self):
        return tuple(self.tags)[:2]

    def d(self):
        return [t for t in self.tags if len(t) > 1][0]

    def e(self):
        self.out.extend(map(str.upper, self.tags))

    def f(self):
        return "-".join(t.upper() for t in self.tags)

    def g(self, *lists):
        return list(set.intersection(*map(set, lists)))

    def h(self, *lists):
        return [*set().union(*lists)]

    def i(self, *lists):
        return list(reduce(set.union, map(set, lists)))

    def j(self):
        return iter(self.tags).__next__()

    def k(self):
        self.index = {t: i for i, t in enumerate(self.tags)}

    def l(self):
        while self.tags:
            self.out.append(self.tags.pop())

    def m(self, text):
        words = set(text.split()) - {"the"}
        head, *tail = words
        return head, tail

    def n(self, text):
        self.out.append(deque(set(text), maxlen=3))

    def o(self, text):
        return json.dumps({"t": [x for x in set(text)]})

    def p(self, text):
        return sum([[x] for x in set(text)], [])

    def q(self, text):
        return dict(enumerate(frozenset(text)))

    def r(self, text):
        return "{} {}".format(*set(text))

    def t(self, text):
        votes = text.split()
        return max(set(votes), key=votes.count)

    def u(self, text):
        seen = set()
        for ch in text:
            seen.add(ch)
        self.out += seen

    def v(self, text):
        letters = set(text)
        return [c for word in ("a", "b") for c in letters]

    def w(self, text):
        return list(zip(sorted(text), set(text)))

    def x(self, **kw):
        return list(kw.keys() | self.tags)

    def y(self, text):
        found = []
        for c in set(text):
            if c > "b":
                found.append(c)
        self.out = found

    def z(self, text):
        return next((c for c in set(text) if c > "a"), None)
