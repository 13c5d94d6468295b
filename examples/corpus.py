"""Real text for the demonstration: the docstrings of Python's own standard library, read as source and never imported.

A page is a module, class or function; its revisions are its docstring growing line by line, as somebody might have typed it.
Parent and child of the demonstration read the same text, so that one can judge what the other kept.
"""

from __future__ import annotations

import ast
import inspect
import sysconfig
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["read_corpus"]

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
NOT_THE_LIBRARY = {"site-packages", "dist-packages", "test", "tests", "idle_test", "lib2to3", "__pycache__"}


def read_corpus() -> dict[str, list[str]]:
    """Every page: title -> what each of its revisions says, in a fixed order."""
    library = Path(sysconfig.get_paths()["stdlib"])
    corpus: dict[str, list[str]] = {}
    for path in sorted(library.rglob("*.py")):
        parts = path.relative_to(library).with_suffix("").parts
        if NOT_THE_LIBRARY.isdisjoint(parts):
            module = ".".join(parts).removesuffix(".__init__")
            corpus.update((title, revisions_of(text)) for title, text in docstrings(path, module))
    return corpus


def docstrings(path: Path, module: str) -> Iterator[tuple[str, str]]:
    """Dotted name and docstring of everything in a file that has one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of old escapes in somebody else's source
        try:
            tree = ast.parse(path.read_bytes())
        except SyntaxError:  # the library keeps a few files that are not meant to be read
            return
    yield from documented(tree, module)


def documented(node: Documented, name: str) -> Iterator[tuple[str, str]]:
    """The node's own docstring, then those of what it defines."""
    text = ast.get_docstring(node)
    if text:
        yield name, inspect.cleandoc(text)
    for child in node.body:
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from documented(child, f"{name}.{child.name}")


def revisions_of(text: str) -> list[str]:
    """The text as it grew: its first line, its first two, and so on; an empty line comes with the next."""
    lines = text.split("\n")
    return ["\n".join(lines[:count]) for count in range(1, len(lines) + 1) if lines[count - 1]]
