"""Laps by a clock that cannot be set back, which is not one that can be replayed."""

import time


class Race:
    def __init__(self):
        self.laps = {}

    def start(self, runner):
        self.laps[runner] = []

    def run(self, runner, laps):
        for _ in range(laps):
            self.laps[runner].append(time.monotonic_ns())


DOMAIN = Race
CALLS = (("start", "ann"), ("start", "bob"), ("run", "bob", 20), ("run", "ann", 1))
EXPECTED = 3, "run", r"laps\['bob'\]\[0\]"
