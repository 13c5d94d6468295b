import lazy


class App:
    def __init__(self):
        self.out = []

    def go(self):
        self.out.append(lazy.token)
