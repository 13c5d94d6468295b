"""A number as people of the place write it."""

LOCALE = True


class Bills:
    def __init__(self):
        self.texts = []

    def bill(self, cents):
        self.texts.append(f"{cents / 100:n}" if cents % 100 else str(cents // 100))


DOMAIN = Bills
CALLS = (("bill", 100), ("bill", 500), ("bill", 1999), ("bill", 200))
EXPECTED = 3, "bill", r"texts\[2\]"
