"""__setstate__ makes the state another one each time it is read."""


class Visits:
    def __init__(self):
        self.starts = 1
        self.visits = 0

    def __setstate__(self, state):
        vars(self).update(state)
        self.starts += 1

    def visit(self):
        self.visits += 1


DOMAIN = Visits
CALLS = (("visit",), ("visit",), ("visit",), ("visit",))
EXPECTED = 2, "visit", r"starts"
