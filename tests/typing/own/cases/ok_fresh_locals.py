from __future__ import annotations
import heapq, logging
from coopy import System, readonly, random as crandom
log = logging.getLogger()
class T:
    def __init__(self) -> None:
        self.d: list[int] = []
        self.by: dict[int, list[int]] = {}
    def _fill(self, x: list[int]) -> None:
        x.append(1)
    def _check(self, x: list[int]) -> bool:
        return bool(x)
    @readonly
    def a(self) -> list[int]:
        x = list(self.d)
        self._fill(x)
        return x
    @readonly
    def b(self) -> list[int]:
        x = list(self.d)
        heapq.heapify(x)
        log.info("%s", x)
        print(x)
        return x
    @readonly
    def c(self) -> list[int]:
        x = list(self.d)
        self._random.shuffle(x)  # P: attr-defined
        return x
    @readonly
    def e(self) -> list[int]:
        x = list(self.d)
        crandom.shuffle(x)
        return x
    @readonly
    def f(self) -> list[int]:
        x = list(self.d)
        if self._check(x):
            return x
        return []
    @readonly
    def g(self) -> list[int]:
        x = [i for i in self.d if self._check(self.d)]
        y = x
        y.append(1)
        return x
    @readonly
    def h(self) -> list[int]:
        x: list[int] = []
        def add(n: int) -> None:
            x.append(n)
        add(3)
        return x
    @readonly
    def i(self) -> list[int]:
        x: list[int] = []
        try:
            x = list(self.d)
        except KeyError:
            x = []
        finally:
            print("x")
        return x
    @readonly
    def j(self) -> dict[int, list[int]]:
        x: dict[int, list[int]] = {}
        for k in self.d:
            x[k] = [k]
        x = {k: v for k, v in x.items() if self._check(v)}
        return x
    @readonly
    def k(self) -> list[int]:
        return list(self.d) if self._check(self.d) else sorted(self.d)
    @readonly
    def l(self) -> list[int]:
        x, y = list(self.d), 3
        return x
    @readonly
    def m(self) -> list[int]:
        x: list[int] = []
        y = {"x": x}
        y["x"].append(1)
        return x
    @readonly
    def n(self) -> list[list[int]]:
        rows = []
        for i in self.d:
            row = [i]
            rows.append(row)
        return rows
    @readonly
    def o(self) -> list[int]:
        out = list(self.d)
        yield_ = min(out)
        total = self._sum(out)
        out.append(yield_ + total)
        return out
    @staticmethod
    def _sum(x: list[int]) -> int:
        return sum(x)
    @readonly
    def p(self) -> list[int]:
        for x in self.by.values():
            print(x)
        x = list(self.d)
        return x
    @readonly
    def q(self) -> list[int] | None:
        x: list[int] | None = None
        if self.d:
            x = []
        return x
    @readonly
    def r(self, x: list[int] | None = None) -> list[int]:
        if x is None:
            x = []
        return x
    @readonly
    def s(self) -> list[int]:
        x = self.d
        x = sorted(x)
        return x
def use(t: System[T]) -> None:
    t.a().append(1)
    t.b().append(1)
    t.c().append(1)
    t.e().append(1)
    t.f().append(1)
    t.g().append(1)
    t.h().append(1)
    t.i().append(1)
    t.j()[1] = []
    t.k().append(1)
    t.l().append(1)
    t.m().append(1)
    t.n().append([])
    t.o().append(1)
    t.p().append(1)
    x = t.q()
    if x is not None:
        x.append(1)
    t.r().append(1)
    t.s().append(1)
