from tools import *


class App:
    def __init__(self):
        self.out = []

    def go(self):
        self.out.append(_hidden())
        self.out.append(shown())
