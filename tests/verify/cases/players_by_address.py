"""Objects without a hash of their own lie in a set by their addresses."""


class Player:
    def __init__(self, name):
        self.name = name


class Game:
    def __init__(self):
        self.waiting = set()
        self.seats = []

    def come(self, *names):
        self.waiting.update(Player(name) for name in names)

    def start(self):
        self.seats = [player.name for player in self.waiting]
        self.waiting.clear()


DOMAIN = Game
CALLS = (("come", *"abcdefgh"), ("come", *"ijklmnopq"), ("start",), ("come", "z"))
EXPECTED = 3, "start", r"seats\[\d+\]"
