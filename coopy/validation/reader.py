"""Where things stand in the text: a cursor that follows the walk of the tree from name to name and from string to string.

LibCST keeps every character but no positions, and its metadata wrapper costs nine walks. The walk visits names and strings in the order
of the text, so the next one is found by skipping what can stand between two of them: space, comments, operators, numbers, keywords.
Knows text only.
"""

from __future__ import annotations

import re

_KEYWORDS = (
    "and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or"
    " pass raise return try while with yield"
)
_GAP = re.compile(rf"(?:[^\w\"'#]+|\#[^\n]*|(?:{'|'.join(_KEYWORDS.split())})(?!\w)|\d[\w.]*)*").match
_FIELD_END = re.compile(r"(?:[\s()\[\],.]|\d\w*)*=?\s*(?:![rsa]\s*)?\}").match


class Reader:
    """The text of one file and how far the walk has come."""

    __slots__ = ("at", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def leaf(self, value: str) -> int:
        """The offset of the next name or string, which is `value`; the cursor moves behind it."""
        found = _GAP(self.text, self.at)
        start = found.end() if found else self.at
        if not self.text.startswith(value, start):
            start = self._search(value, start)
        self.at = start + len(value)
        return start

    def _search(self, value: str, start: int) -> int:
        found = self.text.find(value, start)
        if found < 0:
            raise AssertionError(f"the text has no {value!r} behind offset {start}")
        return found

    def peek(self) -> int:
        """The offset of the next name or string."""
        found = _GAP(self.text, self.at)
        return found.end() if found else self.at

    def mark(self, sign: str) -> int:
        """The offset of the next bracket or keyword, which no name or string comes before; the cursor moves behind it."""
        end = self.peek()
        for found in re.finditer(rf"\#[^\n]*|{re.escape(sign)}", self.text[self.at : end]):
            if found[0] == sign:
                start = self.at + found.start()
                self.at = start + len(sign)
                return start
        return end

    def skip(self, length: int) -> None:
        """Text of an f-string."""
        self.at += length

    def field_ends(self, start: int) -> bool:
        """Whether the end of an f-string's field, begun at `start`, can be told without rendering it; the cursor moves behind it."""
        if "{" in self.text[start + 1 : self.at]:
            return False
        if found := _FIELD_END(self.text, self.at):
            self.at = found.end()
        return found is not None
