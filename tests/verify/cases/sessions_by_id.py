"""id() looks like a number that is never given twice."""


class Session:
    def __init__(self, user):
        self.user = user


class Sessions:
    def __init__(self):
        self.open = {}

    def enter(self, *users):
        for user in users:
            session = Session(user)
            self.open[id(session)] = session

    def users(self):
        return [session.user for session in self.open.values()]


DOMAIN = Sessions
CALLS = (("users",), ("enter", *"abcdefghijkl"), ("users",))
EXPECTED = 2, "enter", r"open"
