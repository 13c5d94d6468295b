from functools import partial, reduce
import random


def compose(*fns):
    return lambda x: reduce(lambda acc, fn: fn(acc), fns, x)


def noise(x):
    return x + random.random()


def double(x):
    return x * 2


STEPS = {"double": double, "inc": lambda x: x + 1}
demo = compose(double, noise)


class Fp:
    def __init__(self):
        self.out = []

    def a(self, x, *names):
        self.out.append(compose(*(STEPS[n] for n in names))(x))
        self.out.append(compose(double, str, len)(x))

    def b(self, x):
        self.out.append(list(map(partial(pow, 2), range(x))))
        self.out.append(sorted(range(x), key=lambda n: -n))
        self.out.append(max([x, 2], key=double))
