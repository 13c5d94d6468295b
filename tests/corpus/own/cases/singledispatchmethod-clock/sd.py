import time
from functools import singledispatchmethod


class Desk:
    def __init__(self):
        self.out = []

    def take(self, what):
        self.out.append(self._shape(what))

    @singledispatchmethod
    def _shape(self, what):
        return repr(what)

    @_shape.register
    def _(self, what: int):
        return what + 1

    @_shape.register(str)
    def _text(self, what):
        return f"{what}@{time.time()}"
