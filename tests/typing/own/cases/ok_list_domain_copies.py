from __future__ import annotations

from coopy import System, init_system, readonly


class Names(list[str]):
    @readonly
    def longest(self) -> str:
        found = list(self)
        found.sort(key=len)
        place = self.index(found[0])
        times = self.count("x")
        own = self[1:]
        own.append("y")
        own = self + ["x"]
        own.append("y")
        return found[place + times]

    @readonly
    def grow(self) -> None:
        self.append("x")  # E: coopy-readonly
        self.sort()  # E: coopy-readonly


class Table(dict[str, list[int]]):
    @readonly
    def total(self) -> int:
        for key, value in self.items():
            print(key, value)
        if self.get("x") is None:
            return sum(sum(v) for v in self.values())
        return len(self.keys()) + len(self)

    @readonly
    def wrong(self) -> None:
        self.pop("x")  # E: coopy-readonly
        self["x"] = []  # E: coopy-readonly
        self.update(x=[])  # E: coopy-readonly
        self["x"].append(3)  # E: coopy-readonly
        for value in self.values():  # O: coopy-readonly
            value.append(1)  # E: coopy-readonly


class Tags(set[str]):
    @readonly
    def has(self, tag: str) -> bool:
        return tag in self or self.isdisjoint({tag}) or bool(self.union({tag}))


def use(names: System[Names], table: System[Table], tags: System[Tags]) -> None:
    both = names + ["x"]
    both.append("y")
    part = names[1:]
    part.append("x")
    twice = names * 2
    twice.append("x")
    copied = names.copy()
    copied.append("x")
    own = list(names)
    own.append("x")
    merged = table | {"x": [1]}
    merged["y"] = []
    more = tags | {"x"}
    more.add("y")
    less = tags - {"x"}
    less.add("x")
    names.append("x")
    table["x"] = [1]
    table["x"].append(1)  # E: coopy-mutate
    for value in table.values():
        value.append(1)  # E: coopy-mutate
    tags.add("x")
