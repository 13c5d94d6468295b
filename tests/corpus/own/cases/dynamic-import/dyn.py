import importlib


class Dyn:
    def __init__(self):
        self.out = []

    def a(self):
        self.out.append(__import__("time").time())

    def b(self):
        mod = importlib.import_module("random")
        self.out.append(mod.random())

    def c(self, expr):
        self.out.append(eval(expr))

    def d(self):
        scope = {}
        exec("import time\nx = time.time()", scope)
        self.out.append(scope["x"])

    def e(self):
        plug = importlib.import_module("plug")
        self.out.append(plug.go())
