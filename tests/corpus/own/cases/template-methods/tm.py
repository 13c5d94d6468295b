import ast
import cmd
import json
import os
import random
import string
import time
from collections import UserDict
from html.parser import HTMLParser


class Encoder(json.JSONEncoder):
    def default(self, one):
        return time.time()


class Names(ast.NodeVisitor):
    def __init__(self):
        self.found = []

    def visit_Name(self, node):
        self.found.append((node.id, random.random()))


class Words(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_data(self, data):
        self.found.append((data, os.getcwd()))


class Filled(string.Formatter):
    def get_value(self, key, args, kwargs):
        return f"{kwargs[key]}-{random.random()}"


class Stamped(UserDict):
    def __setitem__(self, key, value):
        super().__setitem__(key, (value, time.time()))


class Desk:
    def __init__(self):
        self.out = []

    def dump(self, n):
        self.out.append(json.dumps({"n": {n}}, cls=Encoder))

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

    def stamp(self, key):
        table = Stamped()
        table.update({key: 1})
        self.out.append(sorted(table.items()))
