"""A token that cannot be guessed cannot be repeated."""

import secrets


class Invites:
    def __init__(self):
        self.tokens = {}

    def invite(self, *names):
        for name in names:
            self.tokens[name] = secrets.token_urlsafe(12)


DOMAIN = Invites
CALLS = (("invite",), ("invite", "ann"), ("invite", "bob", "cy"))
EXPECTED = 2, "invite", r"tokens\['ann'\]"
