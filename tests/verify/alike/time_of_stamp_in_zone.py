"""A recorded time in a zone that is named."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from coopy import clock


class Diary:
    def __init__(self):
        self.entries = []

    def write(self, text):
        moment = datetime.fromtimestamp(clock.time(), ZoneInfo("Europe/Paris"))
        self.entries.append((moment, moment.astimezone(UTC).strftime("%H:%M"), text))


DOMAIN = Diary
CALLS = (("write", "rain"), ("write", "sun"))
