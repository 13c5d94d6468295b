from __future__ import annotations

import collections
import copy
import dataclasses
import datetime as dt
import functools
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypedDict

from coopy import System, init_system, readonly


class Entry(TypedDict):
    name: str
    n: int


class Stat(NamedTuple):
    names: list[str]
    n: int


@dataclass
class Row:
    name: str
    values: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, name: str) -> Row:
        return cls(name)


class Base:
    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.index: dict[str, Row] = {}

    @readonly
    def inherited(self) -> list[str]:
        return [r.name for r in self.rows]


class Db(Base):
    def add(self, name: str) -> Row:
        row = Row(name)
        self.rows.append(row)
        return row

    def drop(self) -> list[str]:
        names = [r.name for r in self.rows]
        self.rows.clear()
        return names

    @readonly
    def a_list(self) -> list[str]:
        return list(self.index)

    @readonly
    def b_comp(self) -> dict[str, int]:
        return {k: len(v.values) for k, v in self.index.items()}

    @readonly
    def c_local(self) -> list[str]:
        out = []
        for row in self.rows:
            out.append(row.name)
        return out

    @readonly
    def d_branches(self, flag: bool) -> set[str]:
        if flag:
            return set()
        elif self.rows:
            return {r.name for r in self.rows}
        else:
            found: set[str] = set()
            found.add("x")
            return found

    @readonly
    def e_cond(self, flag: bool) -> list[str]:
        return sorted(self.index) if flag else []

    @readonly
    def f_plus(self) -> list[int]:
        return [1] + [len(r.values) for r in self.rows]

    @readonly
    def g_class(self) -> Row:
        return Row("x", [1])

    @readonly
    def h_deepcopy(self) -> dict[str, Row]:
        return copy.deepcopy(self.index)

    @readonly
    def i_replace(self) -> Row:
        return dataclasses.replace(self.rows[0], name="x")

    @readonly
    def j_counter(self) -> collections.Counter[str]:
        return collections.Counter(r.name for r in self.rows)

    @readonly
    def k_default(self) -> dict[str, list[str]]:
        groups: collections.defaultdict[str, list[str]] = collections.defaultdict(list)
        for row in self.rows:
            groups[row.name].append("x")
        return groups

    @readonly
    def l_typed(self) -> Entry:
        return {"name": "x", "n": 1}

    @readonly
    def m_typed(self) -> Entry:
        return Entry(name="x", n=1)

    @readonly
    def n_none(self, name: str) -> list[str] | None:
        if name not in self.index:
            return None
        return [name]

    @readonly
    def o_raise(self, name: str) -> list[str]:
        try:
            return [str(v) for v in self.index[name].values]
        except KeyError:
            raise LookupError(name) from None

    @readonly
    def p_with(self) -> list[str]:
        import contextlib

        with contextlib.suppress(KeyError):
            return [self.index["x"].name]
        return []

    @readonly
    def q_slice(self) -> list[int]:
        return self.rows[0].values[:3]

    @readonly
    def r_copy(self) -> list[int]:
        return self.rows[0].values.copy()

    @readonly
    def s_setop(self, others: set[str]) -> set[str]:
        return others & set(self.index)

    @readonly
    def t_union(self) -> dict[str, int]:
        return {"x": 1} | {r.name: 1 for r in self.rows}

    @readonly
    def u_match(self, kind: str) -> list[str]:
        match kind:
            case "a":
                return ["a"]
            case _:
                return []

    @readonly
    def v_while(self) -> list[int]:
        numbers: list[int] = []
        while len(numbers) < 3:
            numbers.append(len(numbers))
        return numbers

    @readonly
    def w_annotated(self) -> list[Row]:
        result: list[Row] = [Row(r.name, list(r.values)) for r in self.rows]
        result.sort(key=lambda r: r.name)
        return result

    @readonly
    def x_split(self) -> list[str]:
        return self.rows[0].name.split()

    @readonly
    def y_tuple(self) -> tuple[list[str], dict[str, int]]:
        return [r.name for r in self.rows], {}

    @readonly
    def z_lambda(self) -> list[str]:
        key = lambda r: self.rows  # noqa: E731
        rows = sorted(self.rows, key=lambda r: r.name)
        print(key)
        return [r.name for r in rows]

    @readonly
    def inner_def(self) -> list[int]:
        def inner() -> list[Row]:
            return self.rows

        return [len(r.values) for r in inner()]

    @readonly
    def deque(self) -> collections.deque[int]:
        return collections.deque(self.rows[0].values, maxlen=3)

    @readonly
    def array(self) -> bytearray:
        return bytearray(b"x")

    @readonly
    def stars(self) -> list[int]:
        return [*self.rows[0].values, 1]

    @property
    def names(self) -> list[str]:
        return [r.name for r in self.rows]

    @functools.cached_property
    def cached(self) -> list[str]:
        return [r.name for r in self.rows]

    @staticmethod
    def static() -> list[str]:
        return ["x"]

    @staticmethod
    def tidy(names: list[str]) -> list[str]:
        names.sort()
        return names

    @classmethod
    def klass(cls) -> Db:
        db = cls()
        db.add("x")
        return db

    @classmethod
    def default(cls) -> list[str]:
        return ["x"]

    def action_fresh(self) -> dict[str, int]:
        result = {"x": 1}
        self.add("x")
        return result

    @readonly
    def __len__(self) -> int:
        return 3

    def __add__(self, other: Db) -> list[str]:
        return [r.name for r in self.rows]

    def __getitem__(self, s: slice) -> list[str]:
        return [r.name for r in self.rows[s]]


def use(db: System[Db]) -> None:
    db.a_list().append("x")
    db.b_comp()["x"] = 1
    c = db.c_local()
    c.append("x")
    d = db.d_branches(True)
    d.add("x")
    d |= {"x"}
    db.e_cond(True).sort()
    f = db.f_plus()
    f += [1]
    g = db.g_class()
    g.name = "y"
    g.values.append(1)
    h = db.h_deepcopy()
    h["x"].name = "y"
    h.clear()
    i = db.i_replace()
    i.name = "z"
    j = db.j_counter()
    j["x"] += 1
    j.update("x")
    db.k_default()["x"] = ["y"]
    entry = db.l_typed()
    entry["n"] = 3
    entry2 = db.m_typed()
    entry2["n"] += 3
    n = db.n_none("x")
    if n is not None:
        n.append("x")
    if m := db.n_none("x"):
        m.append("x")
    (db.n_none("x") or []).append("x")
    db.o_raise("x").append("x")
    db.p_with().append("x")
    db.q_slice().append(1)
    db.r_copy().append(1)
    db.s_setop(set()).add("x")
    db.t_union()["x"] = 1
    db.u_match("x").append("x")
    db.v_while().append(1)
    rows = db.w_annotated()
    rows.append(Row("x"))
    rows.reverse()
    db.x_split().append("x")
    y, yy = db.y_tuple()
    y.append("x")
    yy["x"] = 1
    db.z_lambda().append("x")
    db.inner_def().append(1)
    db.deque().append(1)
    db.array().append(1)
    db.stars().append(1)
    names = db.names
    names.append("x")
    db.names.append("x")
    db.static().append("x")
    db.tidy(["x"]).append("x")
    klass = db.klass()
    klass.rows = []
    klass.rows.append(Row("x"))
    klass.add("x")
    db.default().append("x")
    db.action_fresh()["x"] = 1
    db.drop().append("x")
    db.inherited().append("x")
    (db + db).append("x")
    db[1:].append("x")
    for row in db.w_annotated():
        print(row)
    new = Row.of("x")
    new.values.append(1)
    for name in db.a_list():
        name += "x"
    groups = [list(g) for _, g in itertools.groupby(db.rows, key=lambda r: r.name)]
    groups.append([])
    pairs = list(zip(db.rows, db.a_list()))
    pairs.append((Row("x"), "y"))
    by = {r.name: r for r in db.rows}
    by["x"] = Row("x")
    by.pop("y", None)
    chained = list(itertools.chain(*[r.values for r in db.rows]))
    chained.append(1)
    acc = functools.reduce(lambda a, r: a + r.values, db.rows, [1])
    acc.append(1)
    every = sum((r.values for r in db.rows), [])
    every.append(1)
    lst = [r.values for r in db.rows]
    lst.append([1])
    lst[0] = [2]
    nested = {r.name: list(r.values) for r in db.rows}
    nested["x"].append(1)
    d2 = dict(zip(db.a_list(), range(3)))
    d2["x"] = 1
    vars_ = vars(db.rows[0]).copy()
    vars_["x"] = 3
    asd = dataclasses.asdict(db.rows[0])
    asd["name"] = "x"
    rest: list[Any] = []
    rest.extend(db.rows)
    rest.append(3)
    rest += db.rows
    total: list[Row] = []
    total += db.rows
    total = total + db.rows
    total.clear()
    acc2: dict[str, Row] = {}
    acc2.update(db.index)
    acc2["x"] = Row("x")
    acc2 |= db.index
    acc2.clear()
    ids: set[str] = set()
    ids |= set(db.index)
    ids.update(db.index)
    ids.clear()
    own: collections.defaultdict[str, list[Row]] = collections.defaultdict(list)
    for row in db.rows:
        own[row.name].append(row)
        own[row.name] = [row]
    own.pop("x")
    ks = list(db.index.keys())
    ks.sort()
    vs = list(db.index.values())
    vs.sort(key=lambda r: r.name)
    vs[0] = Row("x")
    its = sorted(db.index.items())
    its.pop()
    rev = list(reversed(db.rows))
    rev.append(Row("y"))
    flt = list(filter(None, db.rows))
    flt.append(Row("y"))
    mp = list(map(lambda r: r.values, db.rows))
    mp.append([1])
    sl = db.rows[1:]
    sl.append(Row("x"))
    mul = db.rows * 2
    mul.append(Row("x"))
    uni = set(db.index) - {"x"}
    uni.add("y")
    s = db.index.keys() | {"x"}
    s.add("y")
    cp = db.index.copy()
    cp["x"] = Row("x")
    fk = dict.fromkeys(db.index, 1)
    fk["x"] = 2
    mg = db.index | {"x": Row("x")}
    mg["x"] = Row("y")
    cm = collections.ChainMap({}, db.index)
    cm["x"] = Row("x")
    od = collections.OrderedDict(db.index)
    od["x"] = Row("x")
    od.popitem()
    ab = bytearray(db.rows[0].name.encode())
    ab.append(1)


use(init_system(Db()))
