"""Objects in a set, taken out by their numbers."""


class Player:
    def __init__(self, number):
        self.number = number


class Game:
    def __init__(self):
        self.waiting = set()
        self.seats = []

    def come(self, *numbers):
        self.waiting |= {Player(number) for number in numbers}

    def start(self):
        self.seats = sorted((player.number for player in self.waiting), reverse=True)


DOMAIN = Game
CALLS = (("come", 4, 2, 9, 11, 15), ("come", 5, 1), ("start",))
