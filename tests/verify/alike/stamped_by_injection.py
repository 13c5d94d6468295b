"""The clock and the random numbers that the domain object is given, through snapshots."""

ROOT = True


class Diary:
    def __init__(self):
        self.entries = []

    def write(self, text):
        self.entries.append((self._clock.now(), self._clock.today(), self._random.random(), self._random.sample(range(99), 9), text))


DOMAIN = Diary
CALLS = (("write", "a"), ("take_snapshot",), ("write", "b"), ("take_snapshot",), ("write", "c"), ("write", "d"))
