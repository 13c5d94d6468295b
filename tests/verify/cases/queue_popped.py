"""set.pop() takes any."""


class Desk:
    def __init__(self):
        self.waiting = set()
        self.served = []

    def arrive(self, *names):
        self.waiting.update(names)

    def serve(self, count):
        for _ in range(min(count, len(self.waiting))):
            self.served.append(self.waiting.pop())


DOMAIN = Desk
CALLS = (("arrive", *(f"guest {letter}" for letter in "abcdefghijklmnop")), ("take_snapshot",), ("serve", 0), ("serve", 14), ("serve", 9))
EXPECTED = 3, "serve", r"served\[\d+\]"
