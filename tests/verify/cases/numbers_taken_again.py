"""Small numbers in a set come in order, until many were taken out: the set stays large, and its copy from a snapshot is small."""


class Numbers:
    def __init__(self):
        self.free = set()
        self.taken = []

    def add(self, *numbers):
        self.free.update(numbers)

    def remove(self, *numbers):
        self.free.difference_update(numbers)

    def take(self):
        self.taken.append(self.free.pop())


DOMAIN = Numbers
CALLS = (("add", *range(100)), ("remove", *(number for number in range(100) if number not in (9, 40))), ("take",), ("take",))
EXPECTED = 3, "take", r"taken\[0\]"
