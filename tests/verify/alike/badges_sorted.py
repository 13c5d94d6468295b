"""A set, sorted."""


class Club:
    def __init__(self):
        self.badges = {}

    def earn(self, name, *badges):
        self.badges[name] = sorted(set(badges) | set(self.badges.get(name, ())))


DOMAIN = Club
CALLS = (("earn", "ann", *"qwertyuiop"), ("earn", "ann", *"asdfghjkl"))
