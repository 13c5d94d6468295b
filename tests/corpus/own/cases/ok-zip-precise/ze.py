import time


class A:
    def go(self):
        return time.time()


class B:
    def go(self):
        return 0


class Ze:
    def __init__(self):
        self.out = []
        self.pair = (B(), 3)

    def run(self):
        for i, (a, b) in enumerate(zip([A()], [B()])):
            self.out.append((i, b.go()))
        x, y = B(), A()
        self.out.append(x.go())
        x, y = y, x
        self.out.append(y.go())
        one, _ = self.pair
        self.out.append(one.go())
        d = {"a": A(), "b": B()}
        self.out.append(d["b"].go())
        f = lambda p, q=B(): q.go()
        self.out.append(f(1))
