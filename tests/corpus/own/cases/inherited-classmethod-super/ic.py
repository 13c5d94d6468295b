import random


class Base:
    @classmethod
    def create(cls, *args):
        obj = cls.__new__(cls)
        obj.setup(*args)
        return obj

    def setup(self, *args):
        self.args = args


class Child(Base):
    def setup(self, *args):
        super().setup(*args)
        self.seed = random.random()


class App:
    def __init__(self):
        self.out = []

    def go(self):
        self.out.append(Child.create(1).seed)
