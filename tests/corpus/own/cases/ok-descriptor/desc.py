class Positive:
    def __set_name__(self, owner, name):
        self.slot = "_" + name

    def __get__(self, obj, owner=None):
        if obj is None:
            return self
        return obj.__dict__.get(self.slot, 0)

    def __set__(self, obj, value):
        if value < 0:
            raise ValueError("negative")
        obj.__dict__[self.slot] = value


class Tank:
    level = Positive()
    time = Positive()

    def __init__(self):
        self.level = 0

    def fill(self, amount):
        self.level += amount
        self.time = 3
        return self.level + self.time
