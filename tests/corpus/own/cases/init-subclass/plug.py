import random
from abc import ABC, abstractmethod


class Plugin(ABC):
    registry = {}

    def __init_subclass__(cls, /, key=None, **kw):
        super().__init_subclass__(**kw)
        Plugin.registry[key or cls.__name__] = cls

    @abstractmethod
    def run(self, x): ...


class Upper(Plugin, key="upper"):
    def run(self, x):
        return x.upper()


class Noise(Plugin):
    def run(self, x):
        return x + str(random.random())


class Host:
    def __init__(self):
        self.out = []

    def apply(self, name, x):
        self.out.append(Plugin.registry[name]().run(x))
