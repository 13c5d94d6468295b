"""A wiki: pages, and everything they ever said. Plain Python; of coopy it knows a decorator and the clock.

    >>> from coopy import control, init_system
    >>> wiki = init_system(Wiki, "data/wiki")
    >>> wiki.create_page("Home", "Welcome", "ann")
    1
    >>> wiki.edit_page("Home", "Welcome!", "bob")
    2
    >>> control(wiki).close()
    >>> wiki = init_system(Wiki, "data/wiki")
    >>> wiki.history("Home")
    ['Welcome', 'Welcome!']
    >>> control(wiki).close()

Nothing in it opens a file, takes a lock or asks for the time behind coopy's back: that is all a class has to do to be made durable. `demo.py` fills it
from four threads, kills it in mid-write and compares; `pyro/` and `xmlrpc/` serve it to other processes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from coopy import clock, readonly

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["Page", "Revision", "Wiki"]


@dataclass
class Revision:
    """What a page said from a moment on, and who wrote it."""

    text: str
    author: str
    written: datetime


@dataclass
class Page:
    """A title and everything it ever said."""

    title: str
    revisions: list[Revision] = field(default_factory=list)


class Wiki:
    """Pages by title. `create_page` and `edit_page` change it; the rest only looks."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}

    def create_page(self, title: str, text: str, author: str) -> int:
        """Make a page. Gives the number of its first revision, 1. A title that is taken raises ValueError."""
        if title in self.pages:
            raise ValueError(f"There is a page {title!r} already.")
        self.pages[title] = Page(title)
        return self.edit_page(title, text, author)

    def edit_page(self, title: str, text: str, author: str) -> int:
        """Write a page anew. Gives the number of the new revision."""
        revisions = self.pages[title].revisions
        revisions.append(Revision(text, author, clock.now()))
        return len(revisions)

    @readonly
    def get_page(self, title: str) -> str:
        """What a page says now."""
        return self.pages[title].revisions[-1].text

    @readonly
    def history(self, title: str) -> list[str]:
        """Everything a page ever said, oldest first; nothing for a page that does not exist."""
        page = self.pages.get(title)
        return [revision.text for revision in page.revisions] if page else []

    @readonly
    def titles(self) -> list[str]:
        """The titles of all pages, in the order of their creation."""
        return list(self.pages)
