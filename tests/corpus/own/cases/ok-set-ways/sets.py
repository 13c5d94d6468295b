import math

ROLES = frozenset({"admin", "user", "guest"})


class Words:
    def __init__(self):
        self.out = []
        self.seen = set()

    def ok(self, text, *roles):
        chars = set(text)
        self.seen |= chars
        self.seen.update(c.upper() for c in chars)
        self.out.append(sorted(chars))
        self.out.append(sorted({c: 1 for c in chars}.items()))
        self.out.append(len(chars) + sum(ord(c) for c in chars) + max(map(ord, chars)))
        self.out.append(any(c.isdigit() for c in chars) or all(r in ROLES for r in roles))
        self.out.append(min(chars, key=ord))
        self.out.append(sum(1 for c in chars if c > "b"))
        self.out.append(",".join(sorted(c + "!" for c in chars - {"x"})))
        for r in ROLES:
            if r in roles:
                return True
        return chars == set("abc"), chars.isdisjoint(ROLES), bool(chars & ROLES)

    def count(self, text):
        counts = {}
        for c in sorted(set(text)):
            counts[c] = text.count(c)
        total = 0
        for c in frozenset(text):
            total += ord(c)
        return counts, total, list(dict.fromkeys(text)), {*text} <= ROLES

    def drop(self, *names):
        for n in set(names):
            self.seen.discard(n)
        lst = list(set(names))
        lst.sort()
        return lst
