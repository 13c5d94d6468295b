"""The day's name in the language of the machine."""

from coopy import clock

LOCALE = True


class Plan:
    def __init__(self):
        self.days = {}

    def clear(self):
        self.days.clear()

    def plan(self, what):
        self.days[what] = clock.now().strftime("%A, %d %B")


DOMAIN = Plan
CALLS = (("clear",), ("plan", "walk"), ("clear",))
EXPECTED = 2, "plan", r"days\['walk'\]"
