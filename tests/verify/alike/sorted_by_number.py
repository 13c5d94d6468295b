"""Unique by a number that the domain gives."""


class Board:
    def __init__(self):
        self.tasks = []
        self.last = 0

    def plan(self, urgency, *titles):
        for title in titles:
            self.last += 1
            self.tasks.append({"urgency": urgency, "number": self.last, "title": title})
        self.tasks.sort(key=lambda task: (task["urgency"], -task["number"]))


DOMAIN = Board
CALLS = (("plan", 2, *"abc"), ("plan", 1, *"def"))
