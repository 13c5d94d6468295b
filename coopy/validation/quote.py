"""What every report shows of a place: the path as people write it, and the line of the source. Reads files only to quote them."""

from __future__ import annotations

import linecache
import os
import re
from pathlib import Path

from coopy.validation.text import UnreadableError, decode

_TOKEN = re.compile(r"[\w.]+|.")


def relative(path: str) -> str:
    """A path as seen from the working directory, if it lies below."""
    here = os.path.realpath(os.curdir)
    return os.path.relpath(path, here) if path.startswith(here + os.sep) else path


class Lines:
    """Lines of files as the validator counted them."""

    def __init__(self) -> None:
        self._files: dict[str, list[str]] = {}

    def line(self, path: str, number: int) -> str:
        """A line, "" if there is none."""
        if path not in self._files:
            try:
                self._files[path] = decode(Path(path).read_bytes()).split("\n")
            except (OSError, UnreadableError):
                self._files[path] = linecache.getlines(path)  # a cell of a notebook; else it is shown without its line
        lines = self._files[path]
        return lines[number - 1] if 0 < number <= len(lines) else ""

    def end(self, path: str, number: int, column: int) -> int:
        """The column behind the dotted name that begins at a column; both from 1."""
        found = _TOKEN.match(self.line(path, number), column - 1)
        return column + 1 if found is None else found.end() + 1
