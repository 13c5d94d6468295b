"""set.pop() of a set that holds one, and a set emptied to the last."""


class Desk:
    def __init__(self):
        self.waiting, self.served, self.count = set(), [], 0

    def serve(self, name):
        self.waiting.add(name)
        self.served.append(self.waiting.pop())

    def drain(self, *names):
        self.waiting.update(names)
        while self.waiting:
            self.waiting.pop()
            self.count += 1


DOMAIN = Desk
CALLS = (("serve", "ann"), ("drain", *"abcdefgh"), ("serve", "bob"))
