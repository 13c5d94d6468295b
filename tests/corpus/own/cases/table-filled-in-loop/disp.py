import os


class Open:
    name = "open"

    def run(self, desk):
        desk.n += 1


class Report:
    name = "report"

    def run(self, desk):
        desk.by = os.getppid()


HANDLERS = {}
for handler in (Open, Report):
    HANDLERS[handler.name] = handler()


class Desk:
    def __init__(self):
        self.n = 0

    def do(self, what):
        HANDLERS[what].run(self)
