from functools import partial, reduce
import random
import time


def compose(*fns):
    return lambda x: reduce(lambda acc, fn: fn(acc), fns, x)


def curry(f):
    return lambda a: lambda b: f(a, b)


def noise(x):
    return x + random.random()


def add(a, b):
    return a + b + time.time()


def double(x):
    return x * 2


def apply_n(n, fn, x):
    return x if n == 0 else apply_n(n - 1, fn, fn(x))


class Fp:
    def __init__(self):
        self.out = []

    def a(self, x):
        self.out.append(compose(double, noise, double)(x))

    def b(self, x):
        self.out.append(curry(add)(x)(2))

    def c(self, x):
        self.out.append(apply_n(3, partial(max, 2), x))
