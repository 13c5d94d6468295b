from __future__ import annotations
import json, re, heapq, os, functools, itertools
from collections import deque
from collections.abc import Iterator, Sequence, Mapping
from dataclasses import dataclass, field
from coopy import System, View, Replica, init_system, readonly, control

def build(rows: list[Row]) -> list[str]:
    return [r.name for r in rows]

@dataclass
class Row:
    name: str
    values: list[int] = field(default_factory=list)
    def to_dict(self) -> dict[str, int]:
        return {self.name: 1}
    def vals(self) -> list[int]:
        return self.values
    @classmethod
    def of(cls, n: str) -> Row:
        return cls(n)
    @property
    def words(self) -> list[str]:
        return [self.name]
    @property
    def split(self) -> list[str]:
        return self.name.split()
    def clone(self) -> Row:
        new = Row(self.name)
        new.values = list(self.values)
        return new
    def clone2(self) -> Row:
        return type(self)(self.name)
    def clone3(self) -> Row:
        return self.__class__(self.name)

class Db:
    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.text = "[]"
        self.by: dict[str, Row] = {}

    @readonly
    def a(self) -> list[str]:
        return build(self.rows)
    @readonly
    def b(self) -> list[str]:
        return re.findall("x", self.text)
    @readonly
    def c(self) -> list[str]:
        return self._fresh()
    def _fresh(self) -> list[str]:
        return [r.name for r in self.rows]
    @readonly
    def d(self) -> list[str]:
        return self.c()
    @readonly
    def e(self) -> dict[str, int]:
        return self.rows[0].to_dict()
    @readonly
    def f(self) -> list[Row]:
        return heapq.nlargest(3, self.rows, key=lambda r: r.name)
    @readonly
    def g(self) -> Row:
        return Row.of("x")
    @readonly
    def h(self) -> list[int]:
        return self.rows[0].values + [1]
    @readonly
    def i(self) -> list[list[int]]:
        return [list(r.values) for r in self.rows]
    @readonly
    def j(self) -> list[str]:
        x = [r.name for r in self.rows]
        y = x
        return y
    @readonly
    def k(self) -> list[str]:
        x: list[str]
        x = []
        return x
    @readonly
    def l(self) -> list[str]:
        first, rest = [], [self.text]
        first.extend(rest)
        return first
    @readonly
    def m(self) -> list[str]:
        if (x := [r.name for r in self.rows]):
            return x
        return []
    @readonly
    def n(self) -> list[str]:
        x = [r.name for r in self.rows]
        x = x + ["y"]
        x += ["z"]
        return x
    @readonly
    def o(self) -> list[str]:
        return [r.name for r in self.rows][:3]
    @readonly
    def p(self) -> list[str]:
        return sorted(self.by)[:3]
    @readonly
    def q(self) -> list[str]:
        return list(self.by) or ["x"]
    @readonly
    def r(self) -> list[str]:
        return (list(self.by))
    @readonly
    def s(self) -> list[str]:
        with open("x") as f:
            return f.readlines()
    @readonly
    def t(self) -> list[str]:
        with open("x") as f:
            lines = f.readlines()
        return lines
    @readonly
    def u(self) -> dict[str, list[int]]:
        out: dict[str, list[int]] = {}
        for r in self.rows:
            out.setdefault(r.name, []).append(1)
        return out
    @readonly
    def v(self) -> Row:
        return self.rows[0].clone()
    @readonly
    def w(self) -> Row:
        x = Row("x")
        for r in self.rows:
            x.values.extend(r.values)
        return x
    @readonly
    def x(self) -> list[int]:
        return json.loads(self.text)  # E: no-any-return
    @readonly
    def y(self) -> list[str]:
        return functools.reduce(lambda a, r: a + [r.name], self.rows, [""])
    @readonly
    def z(self, limit: int = 3) -> list[Row]:
        found = [r for r in self.rows if r.values]
        if limit:
            found = found[:limit]
        return found
    @readonly
    def aa(self) -> list[str]:
        names = set()
        for r in self.rows:
            names.add(r.name)
        return sorted(names)
    @readonly
    def bb(self) -> list[str]:
        result = None
        for r in self.rows:
            result = [r.name]
        return result or []
    @readonly
    def cc(self) -> list[Row]:
        results: list[Row] = []
        results.extend(self.rows)
        return results
    @readonly
    def dd(self) -> dict[str, Row]:
        return dict(self.by, x=Row("x"))
    @readonly
    def ee(self) -> dict[str, Row]:
        d = dict(self.by)
        d["x"] = Row("y")
        d.update({})
        return d
    @readonly
    def ff(self) -> dict[str, Row]:
        d = self.by.copy()
        d.pop("x", None)
        return d
    @readonly
    def gg(self, names: list[str]) -> list[str]:
        names.append("x")
        return names

def use(db: System[Db], view: View[Row]) -> None:
    db.a().append("x")  # O: coopy-mutate
    db.b().append("x")  # O: coopy-mutate
    db.c().append("x")  # O: coopy-mutate
    db.d().append("x")  # O: coopy-mutate
    db.e()["x"] = 1  # O: coopy-mutate
    db.f().append(Row("x"))  # O: coopy-mutate
    db.g().name = "x"
    db.h().append(1)
    db.i()[0].append(1)
    db.j().append("x")
    db.k().append("x")
    db.l().append("x")
    db.m().append("x")
    db.n().append("x")
    db.o().append("x")
    db.p().append("x")
    db.q().append("x")
    db.r().append("x")
    db.s().append("x")  # O: coopy-mutate
    db.t().append("x")  # O: coopy-mutate
    db.u()["x"] = []
    db.u()["x"].append(3)
    db.v().name = "x"
    db.w().name = "x"
    db.x().append(3)  # O: coopy-mutate
    db.y().append("x")  # O: coopy-mutate
    db.z().append(Row("x"))
    db.aa().append("x")
    db.bb().append("x")
    db.cc().append(Row("x"))
    db.dd()["x"] = Row("x")
    db.ee()["x"] = Row("x")
    db.ff()["x"] = Row("x")
    db.gg(["x"]).append("x")  # O: coopy-mutate
    row = db.rows[0]
    row.to_dict()["x"] = 1
    row.vals().append(1)  # E: coopy-mutate
    row.of("x").name = "x"
    row.words.append("x")
    row.split.append("x")  # O: coopy-mutate
    row.clone().name = "x"
    row.clone2().name = "x"
    row.clone3().name = "x"
    view.to_dict()["x"] = 1
    view.clone().values.append(1)
    view.name.split().append("x")
    db.text.split().append("x")
    db.text.encode().splitlines().append(b"x")
    k = db.by.keys() - {"x"}
    k.add("x")
    os.environ["x"] = db.text
