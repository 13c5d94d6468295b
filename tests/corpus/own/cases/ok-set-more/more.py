from collections import Counter
from collections.abc import Iterable
import statistics


def ordered(items: Iterable[str]) -> list[str]:
    return [i for i in items]


def show(items):
    return ", ".join(items)


class More:
    def __init__(self):
        self.tags: set[str] = set()
        self.out = []

    def add(self, *tags):
        self.tags |= set(tags)
        self.tags -= {"none"}
        self.tags ^= set()
        self.tags &= self.tags | {"q"}

    def a(self):
        return self._random.choice(sorted(self.tags))

    def b(self):
        return show(sorted(self.tags)), ordered(["x"])

    def c(self):
        return tuple(sorted(self.tags))[:2]

    def d(self):
        return sorted(t for t in self.tags if len(t) > 1)[0]

    def e(self, *tags):
        self.out.extend(t for t in tags if t not in self.tags)
        return [t for t in tags if t in self.tags]

    def f(self, *lists):
        return set.intersection(*map(set, lists)), set().union(*lists), frozenset(self.tags)

    def g(self):
        return {t: len(t) for t in sorted(self.tags)}

    def h(self):
        return {len(t) for t in self.tags}, self.tags.copy(), self.tags == {"x"}, self.tags <= {"y"}

    def i(self, text):
        total = 0
        for c in set(text):
            total = total + ord(c)
        return total, statistics.mean(ord(c) for c in sorted(set(text)))

    def j(self, text):
        letters = set(text)
        if len(letters) != len(text):
            return None
        return letters, max(letters), min(letters, default="")

    def k(self, text):
        dupes = {c for c in text if text.count(c) > 1}
        return sorted(dupes, key=lambda c: (text.count(c), c))

    def l(self, *names):
        missing = set(names) - self.tags
        if missing:
            raise KeyError(f"missing: {', '.join(sorted(missing))}")
        return Counter(names)

    def m(self, *names):
        for name in set(names):
            if name not in self.tags:
                return False
        return True

    def n(self, *names):
        n = 0
        for name in set(names):
            if name in self.tags:
                n += 1
            else:
                n -= 1
        return n

    def o(self, text):
        by = {}
        for word in text.split():
            by.setdefault(word[0], set()).add(word)
        return {k: len(v) for k, v in by.items()}, {k: sorted(v) for k, v in by.items()}

    def p(self, names: list):
        unique = list(dict.fromkeys(names))
        return unique, [n for n in names if n in {"a", "b"}]

    def q(self, text):
        (x,) = set(text[:1])
        return x

    def r(self):
        doomed = [t for t in self.tags if len(t) > 5]
        for t in doomed:
            self.tags.discard(t)

    def t(self, text):
        found = [c for c in set(text)]
        return len(found), "a" in found, sum(ord(c) for c in found)

    def u(self, text):
        return all(c in "abc" for c in set(text)), any(map(str.isdigit, set(text))), bool(set(text))
