from registry import KINDS
import units


class Game:
    def __init__(self):
        self.hp = []

    def spawn(self, kind):
        unit = KINDS[kind]()
        self.hp.append(unit.hp)
