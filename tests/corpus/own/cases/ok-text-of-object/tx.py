import enum
import logging
from dataclasses import dataclass

log = logging.getLogger(__name__)


class Token:
    def __init__(self, v):
        self.v = v


@dataclass
class Point:
    x: int


class Color(enum.Enum):
    RED = 1


class Err(Exception):
    pass


class Tx:
    def __init__(self):
        self.out = []

    def a(self, v):
        log.info("token %s", Token(v))
        self.out.append(f"{Point(1)} {Color.RED} {Color.RED!r} {[Point(2)]} {Err('x')!r} {3.5:.2f} {None} {(1, 'a')}")
        self.out.append(str({"a": Point(1)}))
        self.out.append(f"{type(self).__name__} {Token.__name__} {self.a.__name__}")
        print(Token(v))
        try:
            raise Err("bad")
        except Err as e:
            self.out.append(str(e))
        assert v, f"no token {v}"
        self.out.append(hash(3) + hash((1, 2.5)))
