from . import settings as _settings


class Hotel:
    def __init__(self):
        self._settings = _settings.default()
        self.bookings = {}

    def book(self, room):
        key = self._settings.ids.next("b")
        self.bookings[key] = room
        return key
