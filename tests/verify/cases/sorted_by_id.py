"""Sorted by something that is unique, so that no two ever tie."""


class Task:
    def __init__(self, title, urgency):
        self.title, self.urgency = title, urgency


class Board:
    def __init__(self):
        self.tasks = []

    def plan(self, urgency, *titles):
        self.tasks += [Task(title, urgency) for title in titles]

    def tidy(self):
        self.tasks.sort(key=lambda task: (task.urgency, id(task)))


DOMAIN = Board
CALLS = (("plan", 1, *"abcdefgh"), ("plan", 1, *"ijklmnopqr"), ("plan", 2, "z"), ("tidy",))
EXPECTED = 4, "tidy", r"tasks\[\d+\]"
