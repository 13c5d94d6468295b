import random


class Plugin:
    registry = []

    def __init_subclass__(cls, **kw):
        super().__init_subclass__(**kw)
        cls.registry.append(cls)

    def run(self, x):
        raise NotImplementedError


class Upper(Plugin):
    def run(self, x):
        return x.upper()


class Noise:
    def run(self, x):
        return x + str(random.random())


class Host:
    def __init__(self):
        self.out = []

    def apply(self, x):
        for plugin in Plugin.registry:
            self.out.append(plugin().run(x))
