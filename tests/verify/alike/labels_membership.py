"""A frozenset is asked what it holds, and kept."""


class Printer:
    ODD = frozenset(("fragile", "cold", "live", "heavy"))

    def __init__(self):
        self.marks = {}

    def label(self, parcel, *marks):
        self.marks[parcel] = frozenset(marks) & self.ODD, [mark for mark in marks if mark in self.ODD]


DOMAIN = Printer
CALLS = (("label", 1, "cold", "red", "live", "heavy"), ("label", 2, "blue"))
