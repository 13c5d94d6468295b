from .core import COMMANDS
from . import builtin


class Shell:
    def __init__(self):
        self.history = []

    def run(self, name, *args):
        self.history.append(COMMANDS[name](*args))
