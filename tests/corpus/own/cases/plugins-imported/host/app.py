import host.contrib

from .api import HOOKS


class Host:
    def __init__(self):
        self.counts = {}

    def emit(self, name, /, **data):
        for fn in HOOKS.get(name, ()):
            fn(self, **data)

    def save(self, name):
        self.emit("saved", name=name)
