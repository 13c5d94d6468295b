"""A frozenset is a fine key; its text is another matter."""


class Printer:
    def __init__(self):
        self.printed = {}

    def label(self, parcel, marks):
        marks = frozenset(marks)
        self.printed[marks] = f"{parcel}: {', '.join(marks)}"

    def void(self, marks):
        del self.printed[frozenset(marks)]


DOMAIN = Printer
MANY = [
    "fragile",
    "this side up",
    "cold",
    "live",
    "keep dry",
    "heavy",
    "post",
    "express",
    "gift",
    "return",
    "signed",
    "insured",
    "tracked",
    "bulk",
]
CALLS = (("label", 1, ["cold"]), ("label", 2, MANY), ("label", 3, ["live"]), ("void", ["cold"]))
EXPECTED = 2, "label", r"printed"
