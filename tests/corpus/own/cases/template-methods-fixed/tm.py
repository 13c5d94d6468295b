import ast
import json
import string
import time
from collections import UserDict
from html.parser import HTMLParser


class Encoder(json.JSONEncoder):
    def default(self, one):
        return time.time()


class Sorted(json.JSONEncoder):
    def default(self, one):
        return sorted(one)


class Names(ast.NodeVisitor):
    def __init__(self):
        self.found = []

    def visit_Name(self, node):
        self.found.append(node.id)

    def stamp(self):
        return time.time()


class Words(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_data(self, data):
        self.found.append(data)

    def close_at(self):
        return time.time()


class Filled(string.Formatter):
    def get_value(self, key, args, kwargs):
        return kwargs[key]


class Doubled(UserDict):
    def __setitem__(self, key, value):
        super().__setitem__(key, value * 2)


class Desk:
    def __init__(self):
        self.out = []

    def dump(self, n):
        self.out.append(json.dumps({"n": {n}}, cls=Sorted) + json.dumps([n]))

    def is_encoder(self, one):
        self.out.append(issubclass(Encoder, json.JSONEncoder))

    def names(self, text):
        visitor = Names()
        visitor.visit(ast.parse(text))
        self.out.extend(visitor.found)

    def words(self, text):
        parser = Words()
        parser.feed(text)
        self.out.extend(parser.found)

    def fill(self, text):
        self.out.append(Filled().format("{text}", text=text))

    def double(self, key):
        table = Doubled()
        table.update({key: 1})
        self.out.append(sorted(table.items()))
