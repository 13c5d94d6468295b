from __future__ import annotations

import enum
from collections import UserDict, UserList, defaultdict
from collections.abc import Iterator, MutableSet
from typing import Any, Generic, TypeVar

from coopy import System, View, init_system, readonly

K = TypeVar("K")
V = TypeVar("V")


class Table(dict[str, int]):
    title = ""

    def bump(self, key: str) -> int:
        self[key] = self.get(key, 0) + 1
        return self[key]

    @readonly
    def total(self) -> int:
        return sum(self.values())


class Names(list[str]):
    def add(self, name: str) -> None:
        self.append(name)
        self.sort()

    @readonly
    def longest(self) -> str:
        found = list(self)
        found.sort(key=len)
        return max(self, key=len)


class User(UserDict[str, list[int]]):
    @readonly
    def total(self) -> int:
        return sum(sum(v) for v in self.values())


class Users(UserList[str]):
    def shout(self) -> None:
        self.data = [x.upper() for x in self.data]


class Bag(MutableSet[str]):
    def __init__(self) -> None:
        self.items: set[str] = set()

    def __contains__(self, item: object) -> bool:
        return item in self.items

    def __iter__(self) -> Iterator[str]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def add(self, value: str) -> None:
        self.items.add(value)

    def discard(self, value: str) -> None:
        self.items.discard(value)


class Store(Generic[K, V]):
    def __init__(self) -> None:
        self.data: dict[K, V] = {}

    def __getitem__(self, key: K) -> V:
        return self.data[key]

    def __setitem__(self, key: K, value: V) -> None:
        self.data[key] = value

    def __ior__(self, other: dict[K, V]) -> Store[K, V]:
        self.data |= other
        return self

    def __iadd__(self, pair: tuple[K, V]) -> Store[K, V]:
        self.data[pair[0]] = pair[1]
        return self

    def __lshift__(self, pair: tuple[K, V]) -> Store[K, V]:
        self.data[pair[0]] = pair[1]
        return self


class State(enum.Enum):
    OFF = 0
    ON = 1

    def next(self) -> State:
        return State(1 - self.value)


class Machine:
    state = State.OFF

    def flip(self) -> State:
        self.state = self.state.next()
        return self.state


table = init_system(Table())
table["x"] = 1
table["x"] += 1
del table["x"]
table.update({"y": 1})
table.pop("y")
table.setdefault("z", 3)
table.clear()
table.bump("x")
print(table["x"], table.get("x"), list(table.items()), len(table), table.total(), table == {})
names = init_system(Names())
names.append("x")
names.add("y")
names.extend(["z"])
names[0] = "y"
names.sort()
names.pop()
names.remove("x")
print(names.longest(), names[0], names[1:], names + ["x"])
user = init_system(User())
user["x"] = [1]
user.pop("x")
user.update(y=[1])
users = init_system(Users())
users.append("x")
users.shout()
bag = init_system(Bag())
bag.add("x")
bag.discard("x")
bag.remove("y")
bag.pop()
bag.clear()
bag |= {"x"}
print("x" in bag, bag | {"y"})
store = init_system(Store[str, int]())
store["x"] = 1
store["x"] += 1
store |= {"x": 3}
store += ("x", 1)
store << ("x", 3)
machine = init_system(Machine())
machine.flip()
state = machine.state
state = state.next()
reveal_type(store["x"])  # R: int
reveal_type(machine.flip())  # R: State
reveal_type(table.get("x"))  # R: int | None


def use(t: System[Table], n: System[Names], s: System[Store[str, list[int]]]) -> None:
    t["x"] = 1
    t |= {"x": 1}
    t.update(x=1)
    n += ["x"]
    n.append("x")
    s["x"] = [1]
    s["x"].append(1)  # E: coopy-mutate
    s["x"][0] = 1  # E: coopy-mutate
    s["x"] += [1]  # O: coopy-mutate, coopy-alias
    t.title = "x"  # E: coopy-set
    s.data["x"] = [1]  # E: coopy-mutate
    own = Table()
    own.title = "x"
    own["x"] = 3
    own.update(t)
    own.clear()
    copied = Table(t)
    copied["x"] = 3
    copied.title = "x"
    plain = dict(t)
    plain["x"] = 4
    mine = Names(n)
    mine.append("x")
    mine = Names()
    mine.append("y")
    both = n + ["x"]
    both.append("y")
    part = n[1:]
    part.append("x")
    c = t.copy()
    c["x"] = 1
