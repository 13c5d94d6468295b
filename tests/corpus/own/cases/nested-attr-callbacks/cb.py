import time
import random


class Button:
    def __init__(self):
        self.on_click = None
        self.listeners: list = []

    def click(self):
        if self.on_click:
            self.on_click()
        for listener in self.listeners:
            listener(self)


class App:
    def __init__(self):
        self.log = []

    def wire(self):
        def clicked():
            self.log.append(time.time())
        b = Button()
        b.on_click = clicked
        b.listeners.append(lambda sender: self.log.append(random.random()))
        b.listeners += [self._third]
        b.click()

    def _third(self, sender):
        self.log.append(time.localtime())
