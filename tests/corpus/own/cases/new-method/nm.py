import uuid


class Id(str):
    def __new__(cls, text=None):
        return super().__new__(cls, text or uuid.uuid4().hex)


class Single:
    def __new__(cls, *a):
        self = object.__new__(cls)
        self.stamp = uuid.uuid1()
        return self


class App:
    def __init__(self):
        self.out = []

    def go(self):
        self.out.append(Id())
        self.out.append(str(Single().stamp))
