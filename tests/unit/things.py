"""Classes of every kind that a state may hold, for tests of what is said about states."""

from __future__ import annotations

import copyreg
import datetime
import enum
import threading
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

import msgspec


class Colour(enum.Enum):
    RED = 1
    CRIMSON = 1  # noqa: PIE796 - an alias is what is tested
    BLUE = 2


class Right(enum.IntFlag):
    READ = 1
    WRITE = 2


class Zone(datetime.tzinfo):
    def __init__(self, hours: int = 0) -> None:
        self.hours = hours

    def utcoffset(self, when: datetime.datetime | None) -> datetime.timedelta:
        return datetime.timedelta(hours=self.hours)

    def dst(self, when: datetime.datetime | None) -> None:
        return None

    def tzname(self, when: datetime.datetime | None) -> str:
        return "somewhere"


class Letters(set[Any]):
    pass


class Frozen(frozenset[Any]):
    pass


class Many(list[Any]):
    pass


class Table(dict[Any, Any]):
    pass


class Text(str):
    __slots__ = ()


class Node:
    def __init__(self, name: str = "") -> None:
        self.name, self.others = name, set[Node]()


class Slotted:
    __slots__ = ("a", "b")

    def __init__(self, a: object) -> None:
        self.a = a


@dataclass(frozen=True)
class Stop:
    name: str


@dataclass(frozen=True)
class Route:
    stops: frozenset[Stop]


@dataclass(slots=True)
class Page:
    title: str
    words: list[str] = field(default_factory=list)


class Stamp(msgspec.Struct, frozen=True):
    at: int


class Pair(NamedTuple):
    left: Any
    right: Any


class Kept:
    def __init__(self, secret: int) -> None:
        self.secret, self.cache = secret, object()

    def __getstate__(self) -> dict[str, int]:
        return {"secret": self.secret}


class Ledger:
    """Two dictionaries are its state, none of them its attributes."""

    def __init__(self, debit: dict[str, int], credit: dict[str, int]) -> None:
        self.debit, self.credit = debit, credit

    def __getstate__(self) -> tuple[dict[str, int], dict[str, int]]:
        return self.debit, self.credit

    def __setstate__(self, state: tuple[dict[str, int], dict[str, int]]) -> None:
        self.debit, self.credit = state


class Tally(Ledger):
    """A pair whose second is a dictionary, and the first is none."""

    def __getstate__(self) -> Any:
        return [*self.debit], self.credit


class Guarded:
    """Pickles by what its module registered, not by its attributes."""

    def __init__(self, value: int) -> None:
        self.value, self.lock = value, threading.Lock()


copyreg.pickle(Guarded, lambda guarded: (Guarded, (guarded.value,)))


class Bare:
    """A slot that is not set differs from one that is None."""

    __slots__ = ("__private", "a")


class Loose:
    """A slot beside a dictionary."""

    __slots__ = ("__dict__", "a")

    def __init__(self, **values: object) -> None:
        for name, value in values.items():
            setattr(self, name, value)


class Slotful(str):
    """A str that can change, for its slot can."""

    __slots__ = ("more",)


class ByArguments:
    def __init__(self, a: object) -> None:
        self.a = a

    def __reduce__(self) -> Any:
        return ByArguments, (self.a,)


class ByKeywords:
    def __new__(cls, *, a: object) -> Self:
        return object.__new__(cls)

    def __init__(self, *, a: object) -> None:
        self.a = a

    def __getnewargs_ex__(self) -> Any:
        return (), {"a": self.a}


def bare(a: object) -> Bare:
    one = Bare()
    one.a = a  # type: ignore[attr-defined]
    return one


def with_note(value: Any) -> Any:
    value.note = "mine"
    return value


def with_slot(text: str, more: object) -> Slotful:
    one = Slotful(text)
    one.more = more  # type: ignore[attr-defined]
    return one


def circular(more: tuple[Any, ...]) -> list[Any]:
    """A list in a tuple in itself."""
    one: list[Any] = []
    one.append((one, *more))
    return one


class Wiki:
    def __init__(self, kept: Any) -> None:
        self.kept = kept


@dataclass(frozen=True)
class Commit:
    """A value, which may hold what changes, and a history that many share."""

    parent: Any
    files: Any = None


class Whole(int):
    pass


def web(names: str) -> dict[str, Node]:
    """Objects that all refer to each other by sets."""
    nodes = {name: Node(name) for name in names}
    for node in nodes.values():
        node.others.update(one for one in nodes.values() if one is not node)
    return {name: nodes[name] for name in sorted(names)}
