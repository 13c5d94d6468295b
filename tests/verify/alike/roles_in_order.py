"""An enum has an order of its own."""

from enum import Enum

Role = Enum("Role", [f"ROLE_{letter}" for letter in "ABCDEFGH"])


class Staff:
    def __init__(self):
        self.granted = set()
        self.duties = []

    def grant(self, *numbers):
        self.granted |= {Role(number) for number in numbers}
        self.duties = [role.name for role in Role if role in self.granted]


DOMAIN = Staff
CALLS = (("grant", 3, 1, 7), ("grant", 8, 2))
