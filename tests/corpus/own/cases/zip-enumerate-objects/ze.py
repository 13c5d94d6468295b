import time
from itertools import chain, zip_longest


class A:
    def go(self):
        return time.time()


class B:
    def go(self):
        return 0


class Ze:
    def __init__(self):
        self.out = []

    def run(self):
        for i, (a, b) in enumerate(zip([A()], [B()])):
            self.out.append((i, b.go()))
        for b, a in zip_longest([B()], [A()]):
            self.out.append(a.go())
        for one in chain.from_iterable([[B()], (B(),)]):
            self.out.append(one.go())
