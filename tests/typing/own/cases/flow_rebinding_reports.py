from __future__ import annotations

from dataclasses import dataclass, field

from coopy import System, init_system, readonly


@dataclass
class Task:
    name: str
    done: bool = False
    notes: dict[str, str] = field(default_factory=dict)


class Board:
    size = 1

    def __init__(self) -> None:
        self.tasks: list[Task] = []

    def add(self, name: str) -> None:
        self.tasks.append(Task(name))

    @readonly
    def get(self, name: str) -> Task:
        return next(t for t in self.tasks if t.name == name)


def twice(a: System[Board], b: System[Board]) -> None:
    task = a.get("x")
    task.done = True  # E: coopy-mutate
    task = b.get("y")
    task.done = True  # E: coopy-mutate
    task = Task("z")
    task.done = True
    task = b.get("y")
    task.done = True  # E: coopy-mutate


def loop(a: System[Board]) -> None:
    for task in a.tasks:
        task.done = True  # E: coopy-mutate
    for task in reversed(a.tasks):
        task.done = True  # E: coopy-mutate
    for task in filter(None, a.tasks):
        task.done = True  # E: coopy-mutate
    for one, other in zip(a.tasks, [Task("x")]):
        one.done = True  # E: coopy-mutate
        other.done = True
    for task in a.tasks[:3]:
        task.done = True  # O: coopy-mutate
    for i in range(3):
        a.tasks[i].done = True  # E: coopy-mutate
    index = 0
    while index < len(a.tasks):
        a.tasks[index].notes["x"] = "y"  # E: coopy-mutate
        index += 1


def use_global() -> None:
    global system
    system = init_system(Board(), "other")
    system.size = 2  # O: coopy-set


system = init_system(Board())
system.size = 3  # E: coopy-set


class App:
    def __init__(self) -> None:
        self.board = init_system(Board())
        self.task = self.board.get("x")
        self.maybe: System[Board] | None = None

    def open(self, path: str) -> System[Board]:
        if self.maybe is None:
            self.maybe = init_system(Board(), path)
        self.maybe.size = 3  # E: coopy-set
        return self.maybe

    def work(self) -> None:
        self.board.size = 2  # E: coopy-set
        self.task.done = True  # E: coopy-mutate
        self.board.tasks[0].done = True  # E: coopy-mutate
        board = self.open("x")
        board.size += 1  # E: coopy-set
        get = self.open
        get("x").size = 3  # E: coopy-set
        lambda_made = lambda: self.board
        lambda_made().size = 3  # O: coopy-set, no-untyped-call


def choose(flag: bool, a: System[Board], b: System[Board]) -> None:
    board = a if flag else b
    board.size = 3  # E: coopy-set
    if flag:
        task = a.get("x")
    else:
        task = b.get("x")
    task.done = True  # E: coopy-mutate
    assert isinstance(a, Board)
    a.size = 3  # E: coopy-set
    chosen = max([a, b], key=lambda s: s.size)
    chosen.size = 3  # O: coopy-set
