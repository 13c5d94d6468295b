"""A notice board. Plain Python; of coopy it knows a decorator and the clock, and nothing of nodes or servers.

    >>> from coopy import control, init_system
    >>> board = init_system(Board, "data/board")
    >>> board.pin("Piano for sale", "ann")
    1
    >>> board.pin("Lost: a cat", "bob")
    2
    >>> board.texts()
    ['Piano for sale', 'Lost: a cat']
    >>> control(board).close()

With `cluster=` it hangs in many places at once: whoever pins a note, anywhere, gets the next number.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from coopy import clock, readonly

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["Board", "Note"]


@dataclass
class Note:
    """What somebody wants to be known, and since when it hangs there."""

    text: str
    author: str
    pinned: datetime


@dataclass
class Board:
    """Notes, in the order in which they were pinned."""

    notes: list[Note] = field(default_factory=list)

    def pin(self, text: str, author: str) -> int:
        """Gives the note's number, from 1."""
        self.notes.append(Note(text, author, clock.now()))
        return len(self.notes)

    @readonly
    def texts(self) -> list[str]:
        """What all of them say."""
        return [note.text for note in self.notes]
