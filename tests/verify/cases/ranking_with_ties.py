"""sorted() is stable: what is equal stays in the order that the set gave."""


class Ranking:
    def __init__(self):
        self.points = {}
        self.table = []

    def score(self, points, *players):
        for player in players:
            self.points[player] = self.points.get(player, 0) + points

    def publish(self):
        players = {player for player, points in self.points.items() if points}
        self.table = sorted(players, key=lambda player: -self.points[player])


DOMAIN = Ranking
CALLS = (("score", 3, "zoe"), ("publish",), ("score", 1, *(f"player {letter}" for letter in "abcdefghijklmnop")), ("publish",))
EXPECTED = 4, "publish", r"table\[\d+\]"
