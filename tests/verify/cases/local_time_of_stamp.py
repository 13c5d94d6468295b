"""The time is the recorded one; the zone is that of the machine."""

from datetime import datetime


class Diary:
    def __init__(self):
        self.entries = []

    def write(self, text):
        moment = datetime.fromtimestamp(self._clock.time())
        self.entries.append((moment.strftime("%H:%M"), text))

    def cross_out(self):
        self.entries.clear()


DOMAIN = Diary
CALLS = (("cross_out",), ("write", "rain"), ("write", "sun"), ("cross_out",))
EXPECTED = 2, "write", r"entries\[0\]"
