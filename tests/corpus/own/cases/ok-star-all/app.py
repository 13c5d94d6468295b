from tools import *

try:
    stamp
except NameError:
    def stamp():
        return 7


class App:
    def __init__(self):
        self.out = []

    def go(self):
        self.out.append(stamp())

    def bad(self):
        return _private()
