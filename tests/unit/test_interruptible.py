"""The compiler's part in surviving interrupts: no loop directly inside of a `with` or `try` of the engine."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import coopy.engine
import coopy.proxy

FILES = [path for package in (coopy.engine, coopy.proxy) for path in Path(package.__path__[0]).glob("*.py")]
FRESH_THREAD = {"restore.py", "opening.py", "check.py", "mend.py", "prune.py", "background.py"}  # no signal arrives, or no lock is held


@pytest.mark.parametrize("path", [path for path in FILES if path.name not in FRESH_THREAD], ids=lambda path: path.name)
def test_no_loop_stands_directly_inside_of_a_with_or_try(path: Path) -> None:
    """In CPython 3.13 the backward jump of such a loop may lie outside of the protected range: an interrupt there would leave a lock held."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.With | ast.Try):
            assert not [inner.lineno for statement in node.body for inner in loops(statement)], path


def loops(node: ast.stmt) -> list[ast.stmt]:
    """The loops in a statement, but not in functions that it defines."""
    if isinstance(node, ast.While | ast.For):
        return [node]
    if isinstance(node, ast.FunctionDef):
        return []
    return [loop for inner in ast.iter_child_nodes(node) if isinstance(inner, ast.stmt) for loop in loops(inner)]
