"""What a member earned, listed in the order of a set of names."""


class Club:
    def __init__(self):
        self.badges = {}

    def join(self, name):
        self.badges[name] = []

    def earn(self, name, *badges):
        earned = set(badges) | set(self.badges[name])
        self.badges[name] = [badge for badge in earned if not badge.startswith("_")]


DOMAIN = Club
CALLS = (("join", "ann"), ("join", "bob"), ("earn", "ann", *(f"badge-{one}" for one in "abcdefghijklmnop")), ("join", "cy"))
EXPECTED = 3, "earn", r"badges\['ann'\]\[\d+\]"
