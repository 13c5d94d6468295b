import sqlite3
import threading


class Node:
    def __init__(self, fn):
        self.fn = fn


class App:
    def __init__(self):
        self.nodes = []
        self.handlers = {}

    def add(self, n):
        self.nodes.append(Node(lambda: n))

    def gen(self):
        self.rows = (x for x in range(3))

    def table(self):
        self.handlers = {"a": lambda x: x}

    def local(self):
        def inner():
            return 1
        self.inner = inner
