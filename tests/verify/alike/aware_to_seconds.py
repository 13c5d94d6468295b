"""timestamp() of a datetime that has its zone, and arithmetic of those that have none."""

from datetime import datetime, timedelta


class Calendar:
    def __init__(self):
        self.alarms = []

    def remind(self, when, minutes):
        moment = datetime.fromisoformat(when)
        before = moment - timedelta(minutes=minutes)
        self.alarms.append((before, before.timestamp() if before.tzinfo else before.isoformat()))


DOMAIN = Calendar
CALLS = (("remind", "2026-01-01T10:00:00+02:00", 10), ("remind", "2026-03-29T02:30:00", 15))
