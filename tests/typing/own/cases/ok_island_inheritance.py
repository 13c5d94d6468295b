from __future__ import annotations

from abc import ABC, abstractmethod
from collections import UserDict
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from coopy import Clock, System, abort_exception, init_system, readonly, unlocked

K = TypeVar("K")
V = TypeVar("V")


class Named(Protocol):
    @property
    def name(self) -> str: ...


class Counting:
    hits: int = 0

    def hit(self) -> None:
        self.hits += 1


class Store(ABC, Generic[K, V]):
    def __init__(self) -> None:
        self.items: dict[K, V] = {}

    def put(self, key: K, value: V) -> None:
        self.items[key] = self.prepare(value)

    @abstractmethod
    def prepare(self, value: V) -> V: ...

    @readonly
    def get(self, key: K) -> V | None:
        return self.items.get(key)

    @readonly
    def keys(self) -> list[K]:
        return list(self.items)


@dataclass
class Tree:
    name: str
    height: int = 0
    parts: list[str] = field(default_factory=list)


class Island(Counting, Store[str, Tree]):
    _clock: Clock

    def prepare(self, value: Tree) -> Tree:
        value.parts.append("planted")
        value.height += 1
        return value

    @readonly
    def get(self, key: str) -> Tree | None:
        found = super().get(key)
        return found

    @readonly
    def highest(self) -> int:
        return max((tree.height for tree in self.items.values()), default=0)

    @abort_exception
    def hit(self) -> None:
        super().hit()
        self.put("hit", Tree("hit", int(self._clock.time())))

    @unlocked
    @readonly
    def __len__(self) -> int:
        return len(self.items)


class Records(UserDict[str, int]):
    def total(self) -> int:
        return sum(self.values())


class Mapping2(MutableMapping[str, int]):
    def __init__(self) -> None:
        self.data: dict[str, int] = {}

    def __getitem__(self, key: str) -> int:
        return self.data[key]

    def __setitem__(self, key: str, value: int) -> None:
        self.data[key] = value

    def __delitem__(self, key: str) -> None:
        del self.data[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)


class Boss:
    def __init__(self, island: System[Island]) -> None:
        self.island = island
        self.hits = 0
        self.tree = Tree("own")

    def work(self) -> None:
        self.hits += 1
        self.island.hit()
        self.island.put("a", self.tree)
        self.tree.height += 1
        self.tree.parts.append("mine")


class Head(Boss):
    def __init__(self, island: System[Island], name: str) -> None:
        super().__init__(island)
        self.name = name

    def work(self) -> None:
        super().work()
        self.hits = 0
        self.island.put(self.name, Tree(self.name))
        self.tree = Tree(self.name)


def title(thing: Named) -> str:
    return thing.name.title()


island = init_system(Island(), "data/island")
island.hit()
island.put("oak", Tree("oak"))
Head(island, "x").work()
keys = island.keys()
keys.append("own")
tree = island.get("oak")
if tree is not None:
    print(title(tree), tree.height)
base: Store[str, Tree] = Island()
base.items["x"] = Tree("x")
base.put("y", Tree("y"))
records = init_system(Records())
records["x"] = 3
records.update({"y": 4})
records.setdefault("z", 5)
print(records.total(), records["x"], dict(records), len(records))
mapping = init_system(Mapping2())
mapping["x"] = 3
mapping.update(y=4)
mapping.pop("x")
del mapping["y"]
print(mapping.get("x"), list(mapping), {**mapping})
plain = Mapping2()
plain.data["x"] = 3
plain.data = {}
reveal_type(island.get("oak"))  # R: Tree | None
reveal_type(records["x"])  # R: int
