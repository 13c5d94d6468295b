"""Today's classes of directories that earlier versions of them wrote: every kind of change that coopy knows a step for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from coopy import abort_exception, readonly, upgrade, was


@was("tests.fossils.former:Colour")
class Tint(Enum):
    """Was Colour; BLUE is gone, and GREEN took its place."""

    RED = "red"
    GREEN = "green"

    @classmethod
    def _missing_(cls, value: object) -> Tint | None:
        return cls.GREEN if value == "blue" else None


@was("tests.fossils.former:TooMany")
class FullError(Exception):
    """Was TooMany."""


@was("tests.fossils.former:Size")
@dataclass(frozen=True, slots=True)
class Extent:
    """Was Size; pickles as a list of its fields."""

    width: int
    height: int
    depth: int = 1

    @upgrade(from_=1)
    @staticmethod
    def _with_depth(state: list[int]) -> list[int]:
        return [*state, 2]


@was("tests.fossils.former:Volume")
@was("tests.fossils.former:Book")
class Work:
    """Was Book, then Volume. First it had a title, then an author, now a year."""

    __slots__ = ("author", "extent", "leaf", "tint", "title", "year")

    @was("Page")
    class Leaf:
        """Was Page."""

        def __init__(self, text: str) -> None:
            self.text = text

    def __init__(self, title: str, author: str = "", year: int = 2000) -> None:
        self.title, self.author, self.year = title, author, year
        self.leaf, self.tint, self.extent = Work.Leaf(title), Tint.RED, Extent(1, 2)

    @upgrade(from_=1)
    @staticmethod
    def _with_author(state: dict[str, Any]) -> dict[str, Any]:
        title, _, author = state["title"].partition(" by ")
        return {**state, "title": title, "author": author}

    @upgrade(from_=2)
    @staticmethod
    def _with_year(state: dict[str, Any]) -> dict[str, Any]:
        return {**state, "year": 1900 + len(state["author"])}

    def shown(self) -> tuple[Any, ...]:
        """All of it."""
        return (self.title, self.author, self.year, self.leaf.text, self.tint.value, self.extent.width, self.extent.depth)


@was("tests.fossils.former:Shelf")
class Library:
    """Was Shelf."""

    def __init__(self) -> None:
        self.works: list[Work] = []
        self._name = ""

    @upgrade(from_=1)
    @staticmethod
    def _with_works(state: dict[str, Any]) -> dict[str, Any]:
        return {"works": state["books"], "_name": state["_label"]}

    def add(self, title: str, author: str, year: int) -> None:
        """Had a title alone once."""
        self.works.append(Work(title, author, year))

    @was("add")
    def _add_by_title(self, title: str) -> None:
        self.works.append(Work(title, "?", 1))

    @was("put")
    def place(self, work: Work, tint: Tint = Tint.GREEN) -> None:
        """Was put; tint is new."""
        work.tint = tint
        self.works.append(work)

    @was("sort")
    def _sort(self) -> None:
        self.works.sort(key=lambda one: one.title)

    @was("refuse")
    def reject(self) -> None:
        """Was refuse."""
        raise FullError("full")

    @was("clear")
    @abort_exception
    def empty(self) -> None:
        """Was clear."""
        self.works.clear()
        raise FullError("full")

    @property
    def name(self) -> str:
        """Was label."""
        return self._name

    @name.setter
    @was("label")
    def name(self, text: str) -> None:
        self._name = text

    @readonly
    def shown(self) -> list[tuple[Any, ...]]:
        """All of it."""
        return [one.shown() for one in self.works]
