import logging


class Token:
    def __init__(self, v):
        self.v = v


class Named(Token):
    def __str__(self):
        return self.v


class Tx:
    def __init__(self):
        self.out = []

    def a(self, v):
        self.out.append(f"{Token(v)}")
        self.out.append(str(Token(v)))
        self.out.append("%s" % Token(v))
        self.out.append("{0!r}".format(Named(v)))
        self.out.append(str([Token(v)]))
        self.out.append(f"{Named(v)}")
        self.out.append(hash(Token(v)) % 1000)
        self.out.append(id(self) % 7919)
