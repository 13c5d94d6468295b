import time
from types import MappingProxyType, SimpleNamespace


def tools():
    return {"now": time.time, "zero": lambda: 0}


def space():
    return SimpleNamespace(mono=time.monotonic)


TABLE = MappingProxyType({"ns": time.time_ns})


class Rd:
    def __init__(self):
        self.out = []

    def go(self):
        self.out.append(tools()["now"]())
        self.out.append(space().mono())
        self.out.append(TABLE["ns"]())
