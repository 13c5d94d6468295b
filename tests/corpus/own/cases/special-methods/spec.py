import os
import random
import time
from collections import UserDict, defaultdict


class Lazy(dict):
    def __missing__(self, key):
        self[key] = random.random()
        return self[key]


class Watched:
    def __setattr__(self, name, value):
        object.__setattr__(self, name, value)
        object.__setattr__(self, "changed", time.time())


class Flaky:
    def __bool__(self):
        return os.getpid() % 2 == 0

    def __len__(self):
        return 3


class Sized:
    def __len__(self):
        return os.getpid() % 1000

    def __eq__(self, other):
        return random.random() < 0.5

    def __index__(self):
        return int(time.time())


class Ctx:
    def __enter__(self):
        return self

    def __exit__(self, kind, value, tb):
        self.left = time.monotonic_ns()
        return True


class Temp(UserDict):
    def __setitem__(self, key, value):
        super().__setitem__(key, (value, time.time_ns()))


class Spec:
    def __init__(self):
        self.lazy = Lazy()
        self.temp = Temp()
        self.out = []

    def a(self, k):
        self.out.append(self.lazy[k])

    def b(self):
        w = Watched()
        w.x = 1
        self.out.append(w.changed)

    def c(self):
        self.out.append("yes" if Flaky() else "no")
        self.out.append(len(Sized()))

    def d(self):
        self.out.append([Sized() == 1 for _ in range(50)])

    def e(self):
        ctx = Ctx()
        with ctx:
            self.out.append(1)
        self.out.append(ctx.left)

    def f(self, k):
        self.temp[k] = 1

    def g(self):
        self.out.append(range(Sized())[-1])

    def h(self):
        self.out.append([Sized() in [1] for _ in range(50)])
