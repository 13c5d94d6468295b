"""Coopy's monotonic() is recorded, too."""

from coopy import clock


class Race:
    def __init__(self):
        self.laps = []

    def lap(self):
        self.laps.append((clock.monotonic(), clock.time(), clock.time_ns(), clock.utcnow()))


DOMAIN = Race
CALLS = (("lap",), ("lap",), ("lap",))
