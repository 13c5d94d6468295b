"""popitem() takes the last that came, whatever the hash of its key is."""


class Key:
    def __init__(self, name):
        self.name = name

    def __hash__(self):
        return id(self) >> 4

    def __eq__(self, other):
        return self is other


class Ring:
    def __init__(self):
        self.keys, self.taken = {}, []

    def add(self, *names):
        self.keys.update((Key(name), name) for name in names)
        self.taken.append(self.keys.popitem()[1])


DOMAIN = Ring
CALLS = (("add", *"qwertyuiop"), ("add", *"asdfghjkl"))
