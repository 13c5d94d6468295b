"""The text of one file: bytes <-> characters as its declaration says, and whether the parser can take it. Knows nothing of other files.

What must never happen here: text that ends the native parser instead of being refused by name.
"""

from __future__ import annotations

import re

MAX_BRACKETS = 200  # Python's own limit; far deeper ones would overflow the stack of the native parser
MAX_CHAIN = 1000  # operators in one expression: each nests what is before it
LONG = 2000  # characters; only such lines are looked at for chains
_OPERATORS = re.compile(r"[-+*/%@&|^<>=~.]|\bnot\b|\blambda\b|\bif\b|\band\b|\bor\b|\bawait\b|\(\)")
_SEPARATORS = re.compile(r"[,;\[\]{}]")
_CODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_BRACKETS = re.compile(
    r"\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?'''|\"(?:[^\\\n\"]|\\.)*\"|'(?:[^\\\n']|\\.)*'|\#[^\n]*|([(\[{])|([)\]}])", re.DOTALL
)


class UnreadableError(Exception):
    """A file is no Python: `line`, `column` and why."""

    def __init__(self, line: int, column: int, message: str) -> None:
        super().__init__(message)
        self.line, self.column, self.message = line, column, message


def decode(data: bytes) -> str:
    """The text of a file as Python reads it, lines ending in newlines. Raises UnreadableError."""
    if b"\0" in data:
        line = data.count(b"\n", 0, data.index(b"\0")) + 1
        raise UnreadableError(line, 1, "it holds a null byte: this is no Python source")
    encoding, mark = spelling(data)
    try:
        text = data[len(mark) :].decode(encoding)
    except LookupError:
        raise UnreadableError(1, 1, f"its encoding declaration names {encoding}, which is unknown") from None
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        why = f"it is not {encoding} (byte {error.start}): declare its encoding, as in `# -*- coding: latin-1 -*-`"
        raise UnreadableError(number, 1, why) from None
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def spelling(data: bytes) -> tuple[str, bytes]:
    """The encoding that a file declares, and the mark that its text begins behind: that of UTF-8, or none."""
    if data.startswith(b"\xef\xbb\xbf"):
        return "utf-8", data[:3]
    for head in data.split(b"\n", 2)[:2]:
        if match := _CODING.match(head):
            return match[1].decode(), b""
        if head.strip() and not head.lstrip().startswith(b"#"):
            break
    return "utf-8", b""


def check_depth(text: str) -> None:
    """Refuse a text that is nested or chained so deep that a parser would fall. Raises UnreadableError."""
    depth = 0
    if len(text) > LONG and (text.count("elif ") > MAX_CHAIN or any(len(line) > LONG for line in text.split("\n"))):
        _check_chains(text)
    if text.count("(") + text.count("[") + text.count("{") <= MAX_BRACKETS:
        return
    for token in _BRACKETS.finditer(text):
        if token[1]:
            depth += 1
            if depth > MAX_BRACKETS:
                line = text.count("\n", 0, token.start()) + 1
                raise UnreadableError(line, 1, f"brackets are nested more than {MAX_BRACKETS} deep")
        elif token[2]:
            depth = max(depth - 1, 0)


def _check_chains(text: str) -> None:
    """Operators one after the other nest as brackets do, and so do `elif`s."""
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > LONG:
            for part in _SEPARATORS.split(_BRACKETS.sub(lambda token: token[1] or token[2] or "0", line)):
                if len(part) > MAX_CHAIN and len(_OPERATORS.findall(part)) > MAX_CHAIN:
                    raise UnreadableError(number, 1, f"an expression has more than {MAX_CHAIN} operators")
    chain = re.search(rf"(?:^[ \t]*elif\b[^\n]*\n(?:(?![ \t]*elif\b)[^\n]*\n)??){{{MAX_CHAIN}}}", text, re.MULTILINE)
    if chain is not None:
        raise UnreadableError(text.count("\n", 0, chain.start()) + 1, 1, f"an if has more than {MAX_CHAIN} elif")
