"""What two dictionaries share, in the order of one of them."""


class Merge:
    def __init__(self):
        self.conflicts = []

    def compare(self, left, right):
        shared = left.keys() & right.keys()
        self.conflicts = [name for name in left if name in shared and left[name] != right[name]]
        self.same = shared


DOMAIN = Merge
CALLS = (("compare", dict.fromkeys("qwertyuiop", 1), dict.fromkeys("poiuyt", 2)),)
