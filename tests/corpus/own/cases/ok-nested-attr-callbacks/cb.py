import time


class Button:
    def __init__(self):
        self.on_click = None
        self.on_close = None

    def click(self):
        if self.on_click:
            self.on_click()

    def close(self):
        if self.on_close:
            self.on_close()


class App:
    def __init__(self):
        self.log = []

    def wire(self):
        def clicked():
            self.log.append("clicked")

        def closed():
            self.log.append(time.time())
        b = Button()
        b.on_click = clicked
        b.click()
