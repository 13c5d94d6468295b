"""`@was` and `@upgrade` leave what they mark as it is, and what is said about a change has types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, assert_type

from coopy import abort_exception, control, init_system, readonly, rehearse, restore, upgrade, was


@was("Article")
@dataclass
class Page:
    title: str

    @upgrade(from_=1)
    @staticmethod
    def _with_title(state: dict[str, Any]) -> dict[str, Any]:
        return {**state, "title": ""}

    @upgrade(from_=2)
    @classmethod
    def with_name(cls, state: dict[str, Any]) -> dict[str, Any]:
        return state


@was("wiki.models:Wiki")
@was("Site")
class Wiki:
    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}

    @was("create_page")
    @abort_exception
    def add_page(self, title: str, *, text: str = "") -> Page:
        return self.pages.setdefault(title, Page(title + text))

    @property
    def name(self) -> str:
        return ""

    @name.setter
    @was("label")
    def name(self, text: str) -> None:
        self.pages[text] = Page(text)

    @readonly
    def page(self, title: str) -> Page:
        return self.pages[title]


assert_type(Page("Home"), Page)
assert_type(Page.with_name({}), dict[str, Any])
wiki = init_system(Wiki, "wiki", renames={"wiki:Article": "wiki:Page"})
assert_type(wiki, Wiki)
assert_type(wiki.add_page("Home", text="x"), Page)
assert_type(wiki.name, str)
wiki.add_page(3)  # error
wiki.name = 3  # error
init_system(Wiki, renames=["x"])  # error
upgrade(from_="1")  # error
upgrade(1)  # error
was()  # error
assert_type(control(wiki).restored.changed, tuple[str, ...] | None)
found = rehearse("wiki", Wiki, allow=["more"], renames={"a": "b"})
assert_type(found.safe, bool)
assert_type(found.divergences[0].lsn, int)
rehearse("wiki", "wiki:Wiki", validation="off")
rehearse("wiki", 3)  # error
assert_type(restore(Wiki, "wiki", allow=["more"], renames={"a": "b"}), Wiki)
restore("wiki", Wiki)  # error
rehearse("wiki", Wiki, validation="no")  # error
