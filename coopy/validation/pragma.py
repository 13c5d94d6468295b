"""`# coopy: ignore[category, ...] reason`: which findings of a line its author takes responsibility for.

A pragma is read from comments only, never from strings. Knows text; what it silences is decided in `run.py`.
"""

from __future__ import annotations

import re

from coopy.validation.summary import Pragma

_TOKENS = re.compile(r"\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?'''|\"(?:[^\\\n\"]|\\.)*\"|'(?:[^\\\n']|\\.)*'|\#[^\n]*", re.DOTALL)
_PRAGMA = re.compile(r"\#.*?\bcoopy:\s*ignore\s*(?:\[([^\]]*)\])?\s*(.*)")


def read_pragmas(text: str) -> list[Pragma]:
    """The pragmas of a file, by line. One without a bracket silences every category."""
    if "coopy:" not in text:
        return []
    found = []
    for token in _TOKENS.finditer(text):
        if token[0][0] == "#" and (match := _PRAGMA.match(token[0])):
            names = [name.strip() for name in (match[1] or "").split(",") if name.strip()]
            found.append(Pragma(text.count("\n", 0, token.start()) + 1, names, match[2].strip()))
    return found
