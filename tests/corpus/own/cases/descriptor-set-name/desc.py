import time


class Audited:
    def __set_name__(self, owner, name):
        self.slot = "_" + name

    def __get__(self, obj, owner=None):
        return getattr(obj, self.slot, 0)

    def __set__(self, obj, value):
        obj.log.append((self.slot, value, time.monotonic()))
        obj.__dict__[self.slot] = value


class Tank:
    level = Audited()

    def __init__(self):
        self.log = []

    def fill(self, amount):
        self.level = self.level + amount
