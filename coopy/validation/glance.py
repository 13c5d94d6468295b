"""What a glance at a file's bytes tells before it is parsed, so that the linker can begin while others are: a twentieth of the time, or less.

    may_wrap   a promise: where it is False, the summary's `wraps` is
    derives    a promise: what the summary's `derives` is; None where only the summary can tell
    imports    a guess, of modules that are likely to be asked for next

Knows neither LibCST nor the linker. What must never happen here: an answer that is a promise and that the summary contradicts, for then what is
found would depend on which file was parsed first.
"""

from __future__ import annotations

import ast
import re
import unicodedata
import warnings
from typing import TYPE_CHECKING

from coopy.validation.text import spelling

if TYPE_CHECKING:
    from collections.abc import Iterator

_WRAPS = re.compile(rb"init_(?:persistent_)?system|coopy.*aio").search
_BASES = re.compile(rb"\bclass\b[\s\\]+[^\s:(\[\\]++[\s\\]*[(\[]").search  # the possessive name leaves no other way to read it
_IMPORT = re.compile(
    rb"^[ \t]*(?:from[ \t]+(\.*)[ \t]*([\w.]*)[ \t]+import[ \t]+(?:\(([^)]*)\)|([^\n#;]+))|import[ \t]+([^\n#;]+))", re.MULTILINE
)
_BLOCKS = ("body", "handlers", "orelse", "finalbody", "cases")


def may_wrap(data: bytes) -> bool:
    """Whether the text may mention init_system or coopy.aio."""
    if b"init_" not in data and b"coopy" not in data and _is_utf_8(data):
        return False
    return _WRAPS(data) is not None or not _is_utf_8(data)


def _is_utf_8(data: bytes) -> bool:
    """Whether words of ASCII are spelt in ASCII for certain."""
    return spelling(data)[0].lower().replace("_", "-") in ("utf-8", "utf8")


def derives(data: bytes) -> dict[str, list[str]] | None:
    """The names of the classes by the last names of their bases, and by what an alias stands for, in the order of the text."""
    if not _is_utf_8(data):
        return None
    if not _BASES(data):
        return {}
    try:
        if not data.isascii() and not unicodedata.is_normalized("NFKC", data.decode()):
            return None  # Python's parser normalizes names, LibCST leaves them as they are
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes in strings: this run is not about them
            tree = ast.parse(data)
        return _Classes().of(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


class _Classes:
    """A walk over statements: their expressions hold neither classes nor imports."""

    def __init__(self) -> None:
        self.aliases: dict[str, str] = {}
        self.bases: list[tuple[str, list[str]]] = []

    def of(self, tree: ast.AST) -> dict[str, list[str]]:
        """As `extract.py` finds them in the other tree."""
        self._walk(tree)
        out: dict[str, list[str]] = {}
        for name, bases in self.bases:
            for base in dict.fromkeys(word for one in bases for word in (one, self.aliases.get(one)) if word):
                out.setdefault(base, []).append(name)
        return out

    def _walk(self, tree: ast.AST) -> None:
        for block in _BLOCKS:
            for one in getattr(tree, block, ()):
                if isinstance(one, ast.ClassDef):
                    self.bases.append((one.name, [name for base in one.bases for name in _last_names(_unstarred(base))]))
                elif isinstance(one, ast.ImportFrom):
                    self.aliases.update({name.asname: name.name for name in one.names if name.asname and name.asname != name.name})
                elif (
                    isinstance(one, ast.Assign)
                    and isinstance(one.targets[0], ast.Name)
                    and isinstance(one.value, (ast.Name, ast.Attribute))
                ):
                    self.aliases[one.targets[0].id] = one.value.id if isinstance(one.value, ast.Name) else one.value.attr
                self._walk(one)


def _unstarred(base: ast.expr) -> ast.expr:
    return base.value if isinstance(base, ast.Starred) else base


def _last_names(base: ast.expr) -> list[str]:
    if isinstance(base, ast.Name):
        return [base.id]
    if isinstance(base, ast.Attribute):
        return [base.attr]
    if isinstance(base, ast.Subscript):
        return _last_names(base.value)
    return [name for one in base.args for name in _last_names(one)] if isinstance(base, ast.Call) else []


def imports(data: bytes, name: str, *, package: bool) -> Iterator[str]:
    """Dotted names that may be modules, as the lines of the text import them, of a module by its own name."""
    for found in _IMPORT.finditer(data):
        level, module, several, few, whole = (part.decode("utf-8", "replace") if part else "" for part in found.groups())
        if whole:
            yield from (one.split(" as ")[0].strip() for one in whole.split(","))
            continue
        parts = name.split(".")
        above = parts[: len(parts) - len(level) + package] if level else []
        inside = ".".join([*above, module] if module else above)
        yield inside
        yield from (f"{inside}.{one.split(' as ')[0].strip()}" for one in (several or few).split(","))
