"""CPY205, unpicklable-state."""

from __future__ import annotations

from coopy.validation.rules.rule import Rule

RULE = Rule(
    code="CPY205",
    category="unpicklable-state",
    title="is kept in the state",
    why="No snapshot can hold it: the next one would fail, and so would every restart from there.",
    fix="Keep what it is made from (a name, a path, a list) and make it where it is used; or leave it out of the state with __getstate__.",
    severity="error",
    bad=(
        """\
class Domain:
    def __init__(self):
        self.key = None

    def sort_by(self, name):
        self.key = lambda item: item[name]  # bad
""",
        """\
class Domain:
    def __init__(self):
        self.rules = {}

    def limit(self, name, most):
        def rule(number):
            return number <= most

        self.rules[name] = rule  # bad
""",
        """\
class Numbers:
    def __init__(self, first):
        self.rest = self.count(first)  # bad

    def count(self, number):
        while True:
            yield number
            number += 1


class Domain:
    def __init__(self):
        self.numbers = {}

    def start(self, name, first):
        self.numbers[name] = Numbers(first)
""",
        """\
class Domain:
    def __init__(self):
        self.hooks = []

    def add(self, name):
        self.hooks.append(lambda: name)  # bad
""",
    ),
    good=(
        """\
class Domain:
    def __init__(self):
        self.names = []

    def add(self, name):
        key = lambda one: one[1:]
        keys = [key]
        keys.append(lambda one: one)
        self.names = sorted([*self.names, name], key=keys[0])
""",
        """\
class Domain:
    def __init__(self):
        self.rules = {}
        self.cache = None

    def __getstate__(self):
        return {"rules": self.rules, "cache": None}

    def act(self):
        self.cache = lambda: 1
""",
        """\
class Domain:
    def __init__(self):
        self.names = []

    def add(self, names):
        self.names = list(name for name in names)
""",
    ),
)
