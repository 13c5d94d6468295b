"""sorted() with ties, over a dictionary: its order is the journal's."""


class Ranking:
    def __init__(self):
        self.points, self.table = {}, []

    def score(self, points, *players):
        for player in players:
            self.points[player] = self.points.get(player, 0) + points
        self.table = sorted(self.points, key=lambda player: -self.points[player])


DOMAIN = Ranking
CALLS = (("score", 1, *"qwertyuiop"), ("score", 1, "t", "e"))
