"""Where a class that is at hand was written: its file, its name there, and which top-level packages are its own.

    a file      of the module, or of `__main__`
    cells       a notebook or a shell that keeps its input in `linecache`: all cells together are one module, as they ran
    nothing     `exec`, a shell that keeps nothing: there is no source to look at

Its own are the package that its module lies in, those of its base classes that lie beside it, and what `allow` names. A module that lies
in no package has all that lies beside it, unless that is a folder of installed packages. Nothing is imported, and LibCST is not loaded.
"""

from __future__ import annotations

import ast
import linecache
import os
import sys
from types import FunctionType
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Cell", "Target", "target_of"]

_INSTALLED = frozenset(("site-packages", "dist-packages"))
_STANDARD = os.path.dirname(os.path.realpath(os.__file__))


class Cell(msgspec.Struct, frozen=True):
    """A piece of source that is in no file. `start`: lines of the pieces before it."""

    name: str
    text: str
    start: int


class Target(msgspec.Struct, frozen=True):
    """A class as it is written. `only`: its own top-level names, empty for all; `path` stands for the cells, if there are any."""

    path: str
    qualname: str
    root: str
    only: tuple[str, ...]
    cells: tuple[Cell, ...] = ()

    def shown(self, path: str, line: int) -> tuple[str, int]:
        """A place as people know it: in its cell, if it is of one."""
        if path != self.path:
            return path, line
        return next(((cell.name, line - cell.start) for cell in reversed(self.cells) if line > cell.start), (path, line))


def target_of(cls: type, allow: Iterable[str] = ()) -> Target | None:
    """Where a class was written; None if its source is nowhere."""
    path = _source(cls)
    if path is not None and os.path.isfile(path):
        path = os.path.realpath(path)
        root, only = _own(cls, path, allow)
        return Target(path, cls.__qualname__, root, only)
    cells = _cells(cls, path)
    if not cells:
        return None
    here = os.path.realpath(os.curdir)
    return Target(os.path.join(here, f"{cls.__module__}.py"), cls.__qualname__, here, (), cells)


def _source(cls: type) -> str | None:
    """The file name that the class's own functions carry; else that of its module."""
    for member in vars(cls).values():
        function: Any = getattr(member, "__func__", getattr(member, "fget", member))
        if isinstance(function, FunctionType) and function.__qualname__.startswith(f"{cls.__qualname__}."):
            name = function.__code__.co_filename
            if name != "<string>":  # of what `dataclass` and others make
                return name
    return _file_of_module(cls.__module__)


def _file_of_module(name: str) -> str | None:
    found = getattr(sys.modules.get(name), "__file__", None)
    return found if isinstance(found, str) and found.endswith(".py") else None


# --- what is its own -------------------------------------------------------------------------------------------------


def _own(cls: type, path: str, allow: Iterable[str]) -> tuple[str, tuple[str, ...]]:
    """The folder from which its module is imported, and the top-level names that are its own there."""
    name = _module_name(cls)
    root = _root_by_name(path, name)
    if root is not None and ("." in name or os.path.basename(path) == "__init__.py"):
        bases = (one.__module__ for one in cls.__mro__ if _lies_below(root, _file_of_module(one.__module__)))
        names = (name, *bases, *(one.partition(":")[0] for one in allow))
        return root, tuple(sorted({one.partition(".")[0] for one in names}))
    folder = os.path.dirname(path)
    if not _INSTALLED.isdisjoint(folder.split(os.sep)) or folder.startswith(_STANDARD):
        return folder, (os.path.basename(path).removesuffix(".py"),)
    return folder, ()


def _module_name(cls: type) -> str:
    """The name of its module, also where that runs as the program."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    return spec.name if cls.__module__ == "__main__" and spec is not None else cls.__module__


def _root_by_name(path: str, name: str) -> str | None:
    """The folder from which a file is imported under a name; None if the name does not fit."""
    parts = path.removesuffix(".py").removesuffix(f"{os.sep}__init__").split(os.sep)
    names = name.split(".")
    return os.sep.join(parts[: -len(names)]) if parts[-len(names) :] == names else None


def _lies_below(root: str, path: str | None) -> bool:
    if path is None:
        return False
    path = os.path.realpath(path)
    return path.startswith(root + os.sep) and _INSTALLED.isdisjoint(path.removeprefix(root).split(os.sep))


# --- cells -----------------------------------------------------------------------------------------------------------


def _cells(cls: type, name: str | None) -> tuple[Cell, ...]:
    """All pieces of source of the family that a class is of, in the order in which they came."""
    texts = {one: "".join(entry[2]) for one, entry in list(linecache.cache.items()) if len(entry) > 2 and entry[1] is None}  # noqa: PLR2004 - not lazy
    if name is None:
        name = next((one for one in reversed(texts) if f"class {cls.__name__}" in texts[one]), None)
    if name not in texts:
        return ()
    found: list[Cell] = []
    start = 0
    for one, text in texts.items():
        if _family(one) == _family(name) and _runs(text):
            text = text if text.endswith("\n") else f"{text}\n"  # noqa: PLW2901 - a piece ends its line
            found.append(Cell(one, text, start))
            start += text.count("\n")
    return tuple(found)


def _family(name: str) -> str:
    """What the names of cells of one notebook have in common."""
    if os.sep in name:
        return os.path.dirname(name)
    return name[: next((index for index, letter in enumerate(name) if letter.isdigit()), len(name))]


def _runs(text: str) -> bool:
    """Whether a piece is Python: what is not did not run."""
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
