"""A counter that is part of the state."""


class Tracker:
    def __init__(self):
        self.last, self.tickets = 0, {}

    def report(self, text):
        self.last += 1
        self.tickets[self.last] = text


DOMAIN = Tracker
CALLS = (("report", "a"), ("report", "b"), ("report", "c"), ("report", "d"))
