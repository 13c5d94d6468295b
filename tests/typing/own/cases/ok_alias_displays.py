from typing import Any
from dataclasses import dataclass, field
from coopy import System, init_system
@dataclass
class P:
    n: int = 0
class G:
    def __init__(self) -> None:
        self.ps: dict[str, P] = {}
        self.l: list[P] = []
    def a(self, x: dict[str, P]) -> None: ...
    def b(self, x: object) -> None: ...
    def c(self, x: Any) -> None: ...
    def d(self, x: list[P]) -> None: ...
    def e(self, **x: object) -> None: ...
def use(g: System[G]) -> None:
    g.a({**g.ps})
    g.b({**g.ps})
    g.c({**g.ps})
    g.a({**g.ps, "x": P()})
    g.b({**g.ps, "x": P()})
    g.a(dict(g.ps))
    g.b(dict(g.ps))
    g.b(g.ps | {"x": P()})
    g.b({"x": P(), **g.ps})
    g.b([*g.l])
    g.b([*g.l, P()])
    g.b(g.l[:])
    g.b(g.l + [P()])
    g.b({k: v for k, v in g.ps.items()})
    g.b(list(g.l))
    g.b(tuple(g.l))  # O: coopy-alias
    g.b(g.l)  # E: coopy-alias
    g.e(x={**g.ps})
    x = {**g.ps}
    g.b(x)
    y = [*g.l]
    g.b(y)
