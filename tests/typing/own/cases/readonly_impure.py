from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field

import coopy
from coopy import decorators, readonly as query
from coopy.decorators import readonly


@dataclass
class Node:
    value: int = 0
    children: list[Node] = field(default_factory=list)


class Base:
    def __init__(self) -> None:
        self.hits = 0

    def touch(self) -> None:
        self.hits += 1

    @query
    def peek(self) -> int:
        return self.hits


class Tree(Base):
    counts: dict[str, int]

    def __init__(self) -> None:
        super().__init__()
        self.nodes: dict[str, Node] = {}
        self.root: Node | None = None
        self.queue: deque[int] = deque()
        self.groups: defaultdict[str, set[str]] = defaultdict(set)
        self.matrix = [[0]]
        self.listeners: list[Node] = []

    def touch(self) -> None:
        self.hits += 2

    def __setitem__(self, key: str, value: Node) -> None:
        self.nodes[key] = value

    def __delitem__(self, key: str) -> None:
        del self.nodes[key]

    @query
    def a(self) -> int:
        self.hits += 1  # E: coopy-readonly
        self.root = None  # E: coopy-readonly
        self.hits, x = 1, 2  # E: coopy-readonly
        [self.hits, *y] = [1, 2, 3]  # E: coopy-readonly
        for self.hits in range(3):  # E: coopy-readonly
            pass
        with open("x") as self.file:  # O: coopy-readonly
            pass
        self.matrix[0][0] = 1  # E: coopy-readonly
        self.matrix[0][0] += 1  # E: coopy-readonly
        self.matrix[0].append(1)  # E: coopy-readonly
        self.queue.rotate(1)  # E: coopy-readonly
        self.groups["x"].add("y")  # E: coopy-readonly
        return x

    @coopy.readonly
    def b(self) -> None:
        if self.root is not None:
            self.root.value = 1  # E: coopy-readonly
            self.root.children.append(Node())  # E: coopy-readonly
        root = self.root
        if root:
            root.value = 3  # E: coopy-readonly
        for node in self.nodes.values():
            node.value += 1  # E: coopy-readonly
            for child in node.children:
                child.value = 1  # E: coopy-readonly
        for _, node in self.nodes.items():
            node.children.clear()  # E: coopy-readonly
        nodes = self.nodes
        nodes["x"] = Node()  # E: coopy-readonly
        nodes.pop("y")  # E: coopy-readonly
        self.nodes.setdefault("x", Node()).children.append(Node())  # E: coopy-readonly

    @decorators.readonly
    def c(self) -> int:
        super().touch()  # E: coopy-readonly
        self.touch()  # E: coopy-readonly
        self["x"] = Node()  # E: coopy-readonly
        del self["x"]  # E: coopy-readonly  # O: coopy-readonly
        del self.nodes["x"]  # E: coopy-readonly
        if self.peek() and super().peek():
            [self.touch() for _ in range(3)]  # E: coopy-readonly, func-returns-value
        self.__dict__["x"] = 3  # O: coopy-readonly
        return self.hits

    @readonly
    def d(this) -> None:
        this.hits = 3  # E: coopy-readonly
        this.touch()  # E: coopy-readonly

    @readonly
    def e(self) -> None:
        def inner() -> None:
            self.hits = 1  # E: coopy-readonly

        inner()
        me = self
        me.hits = 3  # E: coopy-readonly
        me.touch()  # E: coopy-readonly
        try:
            self.touch()  # E: coopy-readonly
        finally:
            self.touch()  # E: coopy-readonly
        while self.touch():  # E: coopy-readonly, func-returns-value
            pass
        return self.touch()  # E: coopy-readonly  # O: func-returns-value

    @readonly
    def f(self, key: str) -> Node:
        if (node := self.nodes.get(key)) is None:
            node = Node()
            node.value = 1
        else:
            node.value = 3  # O: coopy-readonly
        best = max(self.nodes.values(), key=lambda n: n.value)
        best.value = 4  # E: coopy-readonly
        first = next(iter(self.nodes.values()))
        first.value = 4  # E: coopy-readonly
        self.nodes |= {}  # E: coopy-readonly
        return node

    @property
    @readonly
    def size(self) -> int:
        self.hits += 1  # E: coopy-readonly
        return self.hits

    @readonly
    def __contains__(self, key: str) -> bool:
        self.hits += 1  # E: coopy-readonly
        return key in self.nodes
