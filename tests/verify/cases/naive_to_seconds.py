"""timestamp() of a naive datetime takes it for local time."""

from datetime import datetime


class Calendar:
    def __init__(self):
        self.alarms = []

    def clear(self):
        self.alarms = []

    def remind(self, when):
        self.alarms.append(datetime.fromisoformat(when).timestamp())


DOMAIN = Calendar
CALLS = (("clear",), ("remind", "2026-01-01T10:00:00+00:00"), ("remind", "2026-01-01T10:00:00"), ("clear",))
EXPECTED = 3, "remind", r"alarms\[1\]"
