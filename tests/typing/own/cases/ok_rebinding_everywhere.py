from __future__ import annotations

import copy
import random
from dataclasses import dataclass, field
from typing import Iterable

from coopy import System, View, init_system, readonly


@dataclass
class Task:
    name: str
    done: bool = False
    subtasks: list[Task] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)


class Board:
    size = 1

    def __init__(self) -> None:
        self.tasks: list[Task] = []
        self.names: dict[str, Task] = {}

    def add(self, name: str) -> Task:
        task = Task(name)
        self.tasks.append(task)
        return task

    @readonly
    def get(self, name: str) -> Task:
        return self.names[name]

    @readonly
    def maybe(self, name: str) -> Task | None:
        return self.names.get(name)


board = init_system(Board())


def loops(system: System[Board], own: list[Task]) -> None:
    for task in system.tasks:
        print(task.name)
    else:
        task = Task("x")
        task.done = True
    for task in own:
        task.done = True
        for task in system.tasks:
            print(task)
    for task in [Task("a"), Task("b")]:
        task.notes["a"] = "b"
        task.subtasks.append(task)
    for i, task in enumerate(system.tasks):
        print(i, task.done)
    for i, task in enumerate(own):
        task.done = i == 3
    for name, task in system.names.items():
        print(name)
    for name, task in {"x": Task("x")}.items():
        task.name = name
        task.notes.update(a="b")
    task = copy.deepcopy(system.get("x"))
    task.done = False
    task.notes.clear()


def tries(system: System[Board]) -> Task:
    try:
        task = system.get("x")
        print(task.name)
    except KeyError:
        task = Task("x")
        task.done = True
    task = Task("y")
    task.done = True
    return task


def walrus(system: System[Board], own: dict[str, Task]) -> None:
    if (task := system.maybe("x")) is not None:
        print(task.done)
    if (task := own.get("x")) is not None:
        task.done = True
    while (task := own.get("y")) is not None:
        task.done = True
        task.notes["x"] = "y"


def nones(system: System[Board]) -> None:
    task = None
    if random.random() > 0.5:
        task = system.get("x")
        print(task)
    task = Task("x")
    task.done = True
    current: Task | None = None
    current = system.get("x")
    print(current.name)
    current = Task("x")
    current.done = True
    current.notes["a"] = "b"
    other = system.get("x")
    other = copy.copy(other)
    other.done = True
    third: Task = system.get("x")
    print(third)
    third = Task("x")
    third.done = True


def tuples(system: System[Board]) -> None:
    task, count = system.get("x"), 3
    print(task, count)
    task, count = Task("x"), 4
    task.done = True
    one, two = system.get("x"), Task("y")
    two.done = True
    one, two = two, one
    one.done = True  # O: coopy-mutate
    (first, *rest) = [Task("x")]
    rest.append(first)
    first.done = True
    head, *tail = system.tasks
    tail.clear()
    tail.append(Task("x"))
    print(head)


def withs(system: System[Board], path: str) -> None:
    data = system.get("x").notes
    print(data)
    with open(path) as data_file:
        data = dict(line.split("=", 1) for line in data_file)
        data["x"] = "y"
    data.clear()


class View2:
    def __init__(self, system: System[Board]) -> None:
        self.board = system
        self.task: Task | None = None
        self.tasks: list[Task] = []
        self.shown = system.get("x")

    def select(self) -> None:
        self.task = self.board.get("x")
        print(self.task.name)
        self.task = Task("own")
        self.task.done = True
        self.tasks = self.board.tasks
        print(self.tasks)
        self.tasks = []
        self.tasks.append(Task("x"))
        self.tasks = [t for t in self.board.tasks]
        self.tasks.pop()
        self.shown = Task("own")
        self.shown.done = True
        self.tasks = list(self.board.tasks)
        self.tasks.append(Task("x"))

    def fill(self) -> None:
        self.tasks.append(Task("x"))
        self.tasks.clear()
        if self.task is not None:
            self.task.done = True


def closures(system: System[Board]) -> None:
    task = Task("x")

    def edit() -> None:
        nonlocal task
        task = Task("z")
        task.done = True

    def names(tasks: Iterable[Task]) -> list[str]:
        found = []
        for task in tasks:
            task.done = True
            found.append(task.name)
        return found

    edit()
    names([Task("x")])
    names(system.tasks)


def conditional(system: System[Board], fresh: bool) -> None:
    task = Task("x") if fresh else Task("y")
    task.done = True
    notes = system.get("x").notes if fresh else {}
    notes["x"] = "y"  # O: coopy-mutate
    other = system.maybe("x") or Task("x")
    other.done = True  # O: coopy-mutate


def viewed(task: View[Task]) -> Task:
    task = copy.deepcopy(task)
    task.done = True
    task.subtasks.append(Task("x"))
    return task


def renamed(board: System[Board]) -> None:
    size = board.size
    size += 1
    name = board.get("x").name
    name += "!"
    done = board.get("x").done
    done |= True
    del name, size


board = Board()  # O: assignment
board.size = 4
board.tasks.append(Task("x"))
board.get("x").done = True
reveal_type(board)  # R: Board


def use_global() -> None:
    global board
    board = init_system(Board())
    board.add("x")
