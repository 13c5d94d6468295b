"""Members of an enum hash by their names."""

from enum import Enum

Role = Enum("Role", [f"ROLE_{letter}" for letter in "ABCDEFGHIJKLMNOP"])


class Staff:
    def __init__(self):
        self.duties = []
        self.granted = set()

    def grant(self, *numbers):
        self.granted |= {Role(number) for number in numbers}

    def assign(self):
        self.duties = [role.name.lower() for role in self.granted]


DOMAIN = Staff
CALLS = (("grant", 1, 2, 3, 4, 5, 6, 7, 8), ("grant", *range(9, 17)), ("assign",), ("grant", 2))
EXPECTED = 3, "assign", r"duties\[\d+\]"
