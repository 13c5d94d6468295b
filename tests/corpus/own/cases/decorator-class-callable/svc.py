import time


class timed:
    def __init__(self, fn):
        self.fn = fn
        self.__name__ = fn.__name__

    def __get__(self, obj, owner=None):
        return lambda *a: self(obj, *a)

    def __call__(self, obj, *args):
        started = time.perf_counter()
        result = self.fn(obj, *args)
        obj.spent.append(time.perf_counter() - started)
        return result


class Service:
    def __init__(self):
        self.spent = []

    @timed
    def work(self, n):
        return n + 1
