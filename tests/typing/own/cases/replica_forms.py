from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, Protocol

import coopy
from coopy import Replica, System, abort_exception, init_system, readonly, unlocked


class Base:
    def __init__(self) -> None:
        self.items: dict[str, int] = {}
        self._title = ""

    def reset(self) -> None:
        self.items.clear()

    @readonly
    def overridden(self) -> int:
        return 1

    def became_query(self) -> int:
        return 1


class Store(Base):
    def put(self, key: str, value: int = 1) -> int:
        self.items[key] = value
        return value

    @abort_exception
    def take(self, key: str) -> int:
        return self.items.pop(key)

    @readonly
    @abort_exception
    def checked(self, key: str) -> int:
        return self.items[key]

    @unlocked
    def fast(self) -> int:
        return len(self.items)

    @readonly
    def became_query(self) -> int:
        return 2

    @property
    def title(self) -> str:
        return self._title

    @title.setter
    def title(self, value: str) -> None:
        self._title = value

    @title.deleter
    def title(self) -> None:
        self._title = ""

    @staticmethod
    def key(text: str) -> str:
        return text.lower()

    @classmethod
    def make(cls) -> Store:
        return cls()

    def __getitem__(self, key: str) -> int:
        return self.items[key]

    def __setitem__(self, key: str, value: int) -> None:
        self.items[key] = value

    def __delitem__(self, key: str) -> None:
        del self.items[key]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[str]:
        return iter(self.items)

    def __contains__(self, key: object) -> bool:
        return key in self.items

    def __bool__(self) -> bool:
        return True

    def __str__(self) -> str:
        return "x"

    def __call__(self, x: int) -> int:
        return x

    def __iadd__(self, other: dict[str, int]) -> Store:  # type: ignore[misc]
        self.items.update(other)
        return self

    def __add__(self, other: int) -> int:
        return other


class Reader(Protocol):
    def put(self, key: str, value: int = 1) -> int: ...


one = init_system(Store, replication=True)
two = init_system(Store(), "data", replication=True, host="x")
three = coopy.init_system(obj=Store, replication=True)
four = init_system(Store, "x", 0, False, True, 5466)
one.put("x")  # E: coopy-replica
two.put("x", value=3)  # E: coopy-replica
three.take("x")  # E: coopy-replica
four.fast()  # E: coopy-replica
one.reset()  # E: coopy-replica
one.became_query()
one.overridden()
one.checked("x")
one.title = "x"  # E: coopy-replica
del one.title  # O: coopy-replica, coopy-set
one["x"] = 1  # E: coopy-replica
one["x"] += 1  # E: coopy-replica
del one["x"]  # E: coopy-replica
print(one["x"], len(one), list(one), "x" in one, bool(one), str(one), one.title, one.items, one + 3, one.key("x"), one.make())
print(one(3))  # O: coopy-replica
one.take_snapshot()  # P: attr-defined
one.close()  # P: attr-defined
one.basedir_abspath()  # P: attr-defined
one.items["x"] = 3  # E: coopy-mutate
one._title  # E: coopy-private
ok: Reader = one
ok.put("x")  # O: coopy-replica
made = one.make()
made.put("x")
made.items["x"] = 3
Store.make().put("y")

TRUE = True
FINAL: Final = True
maybe = init_system(Store, replication=TRUE)
maybe.put("x")
fin = init_system(Store, replication=FINAL)
fin.put("x")  # O: coopy-replica
primary = init_system(Store, master=True, replication=False)
primary.put("x")
primary.title = "x"
primary["x"] = 3
primary += {"x": 1}
positional = init_system(Store, "x", 0, True, False)
positional.put("x")
options = {"replication": True}


def take(replica: Replica[Store], flag: Literal[True], plain: Store, either: System[Store] | Replica[Store]) -> None:
    replica.put("x")  # E: coopy-replica
    plain.put("x")
    literal = init_system(Store, replication=flag)
    literal.put("x")  # O: coopy-replica
    either.put("x")  # O: coopy-replica
    put = replica.put  # O: coopy-replica
    print(put)
    for replica2 in [replica]:
        replica2.put("x")  # E: coopy-replica
    plain = replica
    print(plain.checked("x"))
    replica = init_system(Store)
    replica.put("x")  # O: coopy-replica


class Page:
    def __init__(self) -> None:
        self.store = init_system(Store, replication=True)
        self.primary = init_system(Store, master=True)

    def handle(self) -> int:
        self.primary.put("x")
        if "x" not in self.store:
            self.store.put("x")  # E: coopy-replica
        return self.store.checked("x")

    def swap(self) -> None:
        self.store, self.primary = init_system(Store, replication=True), init_system(Store)
        self.primary.put("y")
