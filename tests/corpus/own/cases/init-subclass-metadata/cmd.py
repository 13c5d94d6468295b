from __future__ import annotations

import uuid
from typing import ClassVar


class Command:
    handlers: ClassVar[dict[str, type[Command]]] = {}
    verb: ClassVar[str]

    def __init_subclass__(cls, *, verb: str, **kwargs):
        super().__init_subclass__(**kwargs)
        cls.verb = verb
        cls.handlers[verb] = cls

    @classmethod
    def parse(cls, line):
        verb, _, rest = line.partition(" ")
        return cls.handlers[verb](rest)

    def __init__(self, rest):
        self.rest = rest


class Add(Command, verb="add"):
    def apply(self, items):
        items.append(self.rest)


class Tag(Command, verb="tag"):
    def apply(self, items):
        items.append(f"{self.rest}-{uuid.uuid4()}")


class Bus:
    def __init__(self):
        self.items = []

    def send(self, line):
        Command.parse(line).apply(self.items)
