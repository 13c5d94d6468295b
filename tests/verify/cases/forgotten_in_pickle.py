"""What __getstate__ leaves out is gone after a restart, and an action looks at it."""


class Chat:
    def __init__(self):
        self.lines = []
        self.recent = []

    def __getstate__(self):
        return {**vars(self), "recent": []}

    def say(self, text):
        self.recent.append(text)
        self.lines.append((len(self.recent), text))


DOMAIN = Chat
CALLS = (("say", "a"), ("say", "b"), ("say", "c"), ("say", "d"))
EXPECTED = 3, "say", r"lines\[2\]"
