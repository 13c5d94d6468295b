"""An identifier that somebody may also pass."""

import uuid


class Account:
    def __init__(self, owner, number=None):
        self.owner, self.number = owner, number or uuid.uuid4()


class Bank:
    def __init__(self):
        self.accounts = {}

    def open(self, owner, number=None):
        self.accounts[owner] = Account(owner, number)


DOMAIN = Bank
CALLS = (("open", "ann", 7), ("open", "bob", 8), ("take_snapshot",), ("open", "cy"), ("open", "di"))
EXPECTED = 3, "open", r"accounts\['cy'\]\.number"
