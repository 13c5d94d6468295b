import functools
import operator


def top(x):
    return x


class Node:
    def __init__(self, fn):
        self.fn = fn

    def __call__(self, x):
        return self.fn(x)

    def method(self, x):
        return x


class App:
    def __init__(self):
        self.node = Node(top)
        self.handlers = {"a": top, "b": str.upper, "c": self.node.method, "d": functools.partial(top, 1), "e": operator.attrgetter("x")}
        self.cls = Node

    def go(self, x):
        key = lambda y: -y
        found = sorted([x, 2], key=key)
        gen = (i for i in found)
        total = sum(gen)
        return total + self.node(1)
