from __future__ import annotations

import abc
import functools
import typing as t
import weakref
from dataclasses import InitVar, dataclass, field

import attrs
import attr

from coopy import System, init_system, readonly

T = t.TypeVar("T")


class Field(t.Generic[T]):
    def __init__(self, default: T) -> None:
        self.default = default

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = "_" + name

    @t.overload
    def __get__(self, obj: None, owner: type) -> Field[T]: ...
    @t.overload
    def __get__(self, obj: object, owner: type) -> T: ...
    def __get__(self, obj: object | None, owner: type) -> Field[T] | T:
        if obj is None:
            return self
        return t.cast(T, getattr(obj, self.name, self.default))

    def __set__(self, obj: object, value: T) -> None:
        setattr(obj, self.name, value)


@attrs.define
class Part:
    name: str
    n: int = 0
    tags: list[str] = attrs.field(factory=list)

    def with_n(self, n: int) -> Part:
        return attrs.evolve(self, n=n)


@attr.s(auto_attribs=True)
class Old:
    name: str = "x"

    @readonly
    def shown(self) -> str:
        return self.name


@attrs.define
class Stock:
    parts: dict[str, Part] = attrs.Factory(dict)
    title: str = ""

    def add(self, name: str) -> None:
        self.parts[name] = Part(name)

    def stamp(self) -> str:
        return str(self._clock.now())  # P: attr-defined

    @readonly
    def get(self, name: str) -> Part:
        return self.parts[name]


class Config:
    level = Field(1)
    names: Field[list[str]] = Field([])

    def __init__(self) -> None:
        self._title = ""
        self.items: list[int] = []

    def set_level(self, level: int) -> None:
        self.level = level

    @functools.cached_property
    def total(self) -> int:
        return sum(self.items)

    @functools.singledispatchmethod
    def shown(self, thing: object) -> str:
        return str(thing)

    @shown.register
    def _(self, thing: int) -> str:
        return hex(thing)

    @property
    def title(self) -> str:
        return self._title

    @title.setter
    def title(self, value: str) -> None:
        self._title = value.strip()

    @readonly
    @functools.lru_cache(maxsize=None)
    def slow(self, n: int) -> int:
        return n

    @readonly
    def find(self, n: int) -> list[int]:
        total = self.total
        total += 1
        title = self.title
        title += "x"
        return [i for i in self.items if i == n]


@dataclass(slots=True)
class Slotted:
    name: str
    start: InitVar[int] = 0
    n: int = field(init=False, default=0)
    _hidden: int = 0

    def __post_init__(self, start: int) -> None:
        self.n = start

    def grow(self) -> None:
        self.n += 1
        self._hidden += 1

    @readonly
    def other(self, other: Slotted) -> int:
        return other._hidden + self._hidden


config = init_system(Config())
config.title = "x"
config.title += "y"
config.level = 3  # O: coopy-set
config.set_level(3)
print(config.level, config.total, config.title.upper(), config.find(3), config.slow(3))
config.shown(3)
found = config.find(3)
found.append(3)
reveal_type(config.level)  # R: int
reveal_type(config.total)  # R: int
stock = init_system(Stock())
stock.add("x")
stock.title = "x"  # E: coopy-set
stock.get("x").n = 3  # E: coopy-mutate
stock.get("x").tags.append("x")  # E: coopy-mutate
evolved = attrs.evolve(stock.get("x"), n=3)
evolved.n = 4  # O: coopy-mutate
own = Part("x")
own.n = 3
own.tags.append("y")
own2 = own.with_n(3)
own2.n = 4
d = attrs.asdict(stock.get("x"))
d["n"] = 3
slotted = init_system(Slotted("x", 3))
slotted.grow()
slotted.n = 3  # E: coopy-set
print(slotted._hidden)  # E: coopy-private
print(slotted.other(Slotted("y")))
old = init_system(Old())
old.name = "y"  # E: coopy-set
Old().name = "x"
ref = weakref.ref(config)
print(ref)
title = config.title
title += "x"


class Window:
    title: str = ""

    def __init__(self, config: System[Config]) -> None:
        self.config = config
        self._config = config
        self.title = config.title
        self.items = list(config.items)
        self._cache: dict[str, System[Config]] = {"x": config}

    def rename(self, title: str) -> None:
        self.title = title
        self.config.title = title
        self._config.title = title
        self.items.append(3)
        self._cache["x"] = self._config
        self._cache.clear()
        self._config = init_system(Config())
