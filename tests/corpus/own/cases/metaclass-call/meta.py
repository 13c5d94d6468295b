import itertools
import uuid


class Tagged(type):
    def __call__(cls, *args, **kwargs):
        made = super().__call__(*args, **kwargs)
        made.tag = str(uuid.uuid1())
        return made


class Animal(metaclass=Tagged):
    def __init__(self, name):
        self.name = name


class Zoo:
    def __init__(self):
        self.animals = []

    def admit(self, name):
        self.animals.append(Animal(name))
