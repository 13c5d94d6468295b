import random


class Bag:
    def __class_getitem__(cls, n):
        return random.random() * n

    def __getitem__(self, i):
        if i > 2:
            raise IndexError
        return random.randint(0, 10**9)


class Gi:
    def __init__(self):
        self.out = []

    def go(self):
        self.out.append(Bag[3])
        self.out.extend(Bag())
        self.out.append(Bag()[1])
        self.out.append(list(Bag()))
