"""__getstate__ leaves out what __setstate__ makes again from the rest."""


class Lines:
    def __init__(self):
        self.lines, self.index = [], {}

    def __getstate__(self):
        return {"lines": self.lines}

    def __setstate__(self, state):
        self.lines = state["lines"]
        self.index = {text: number for number, text in enumerate(self.lines)}


class Chat:
    def __init__(self):
        self.lines = Lines()

    def say(self, text):
        self.lines.index[text] = len(self.lines.lines)
        self.lines.lines.append(text)


DOMAIN = Chat
CALLS = (("say", "a"), ("say", "b"), ("say", "c"), ("say", "d"))
