from __future__ import annotations
from dataclasses import dataclass, field
from coopy import System, Replica, init_system, readonly
@dataclass
class P:
    n: int = 0
    l: list[int] = field(default_factory=list)
class G:
    turn = 0
    def __init__(self) -> None:
        self.ps: dict[str, P] = {}
    @readonly
    def maybe(self) -> P | None:
        return self.ps.get("x")
    @readonly
    def get(self) -> P:
        return self.ps["x"]
    @readonly
    def inq(self, own: dict[str, P]) -> None:
        p = self.ps.get("x")
        print(p)
        p = own.get("x")
        if p is not None:
            p.n = 3
            p.l.append(3)
        if p:
            p.n = 3
def a(g: System[G], own: dict[str, P]) -> None:
    p = g.maybe()
    print(p)
    p = own.get("x")
    if p is not None:
        p.n = 3
    if p:
        p.n = 3
        p.l.append(3)
    if not p:
        return
    p.n = 3
def b(g: System[G], own: list[P | None]) -> None:
    for p in g.ps.values():
        print(p)
    q = g.maybe()
    for q in own:
        if q is not None:
            q.n = 3
        if isinstance(q, P):
            q.n = 3
        assert q
        q.n = 3
def c(g: System[G], own: P) -> None:
    p = g.get()
    print(p)
    p = own
    if p:
        p.n = 3
    if isinstance(p, P):
        p.n = 3
    if p.n == 3 and p.l:
        p.n = 4
        p.l.append(3)
    while p:
        p.n = 3
        break
def d(g: System[G], own: P, flag: bool) -> None:
    s = init_system(G())
    s.turn = 1  # E: coopy-set
    s = G()
    if s:
        s.turn = 2
    if isinstance(s, G):
        s.turn = 3
    if flag:
        s.turn = 4
    for _ in range(3):
        s.turn = 5
    with open("x"):
        s.turn = 6
    try:
        s.turn = 7
    except KeyError:
        s.turn = 8
    finally:
        s.turn = 9
    s = s or G()
    s.turn = 3
    f = lambda: s.turn
    print(f)
class A:
    def __init__(self, g: System[G]) -> None:
        self.p: P | None = None
        self.g = g
        self.q = g.maybe()
    def x(self, own: P) -> None:
        self.p = self.g.get()
        print(self.p)
        self.p = own
        if self.p:
            self.p.n = 3
        self.q = own
        if self.q:
            self.q.n = 3
            self.q.l.append(3)
        if self.q is not None and self.p is not None:
            self.p.n = 3
            self.q.n = 3
def e(g: System[G], own: dict[str, P]) -> None:
    p = g.maybe()
    if p is None:
        p = P()
        p.n = 3
        if p:
            p.n = 3
    p = own.get("y")
    if p is None:
        p = P()
    p.n = 3
    p.l.append(3)
def f(own: list[G]) -> None:
    for s in [init_system(G())]:
        print(s)
    for s in own:
        if s:
            s.turn = 3
        if s.turn:
            s.turn = 4
