"""Where `from coopy import ...` goes: into the one that is there, else among the first imports of the file, behind the standard library's."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import libcst as cst

from coopy.validation.rewriting.collect import dotted_name, is_import

if TYPE_CHECKING:
    from collections.abc import Sequence

_BLANK = cst.EmptyLine(indent=False)


def add_import(module: cst.Module, tools: Sequence[str]) -> cst.Module:
    """The module with the tools imported."""
    body = list(module.body)
    for index, line in enumerate(body):
        if is_import(line) and isinstance(line, cst.SimpleStatementLine) and _takes_more(line.body[0]):
            body[index] = line.with_changes(body=[_extended(line.body[0], tools), *line.body[1:]])
            return module.with_changes(body=body)
    index = _place(body)
    blank_before, blank_behind = _blanks(body, index)
    names = [cst.ImportAlias(cst.Name(tool)) for tool in tools]
    line = cst.SimpleStatementLine([cst.ImportFrom(cst.Name("coopy"), names)], leading_lines=[_BLANK] * blank_before)
    if blank_behind:
        follower = body[index]
        body[index] = follower.with_changes(leading_lines=[*[_BLANK] * blank_behind, *follower.leading_lines])
    body.insert(index, line)
    return module.with_changes(body=body)


def _takes_more(node: cst.BaseSmallStatement) -> bool:
    """Whether a statement is `from coopy import a, b`, on one line."""
    return (
        isinstance(node, cst.ImportFrom)
        and not node.relative
        and node.module is not None
        and dotted_name(node.module) == "coopy"
        and node.lpar is None
        and not isinstance(node.names, cst.ImportStar)
    )


def _extended(node: cst.BaseSmallStatement, tools: Sequence[str]) -> cst.BaseSmallStatement:
    assert isinstance(node, cst.ImportFrom)
    assert not isinstance(node.names, cst.ImportStar)
    names = [
        one.with_changes(comma=cst.MaybeSentinel.DEFAULT) for one in (*node.names, *(cst.ImportAlias(cst.Name(tool)) for tool in tools))
    ]
    ordered = [dotted_name(one.name) for one in node.names]
    if ordered == sorted(ordered):
        names.sort(key=lambda one: dotted_name(one.name))
    return node.with_changes(names=names)


def _place(body: Sequence[cst.BaseStatement]) -> int:
    """The index at which the import is to stand."""
    start = 1 if body and _is_docstring(body[0]) else 0
    place = start
    for index, line in enumerate(body[start:], start):
        if not is_import(line):
            break
        name = _module_of(line)
        if name == "__future__" or name in sys.stdlib_module_names or "" < name <= "coopy":
            place = index + 1
    return place


def _blanks(body: Sequence[cst.BaseStatement], index: int) -> tuple[int, int]:
    """Blank lines before the new import, and how many more behind it."""
    before = int(index > 0 and (not is_import(body[index - 1]) or _module_of(body[index - 1]) in {"__future__", *sys.stdlib_module_names}))
    if index == len(body) or is_import(body[index]):
        return before, 0
    follower = body[index]
    has = len(getattr(follower, "leading_lines", ()))
    wants = 2 if isinstance(follower, cst.FunctionDef | cst.ClassDef) else 1
    return before, max(wants - has, 0) if hasattr(follower, "leading_lines") else 0


def _is_docstring(line: cst.BaseStatement) -> bool:
    return (
        isinstance(line, cst.SimpleStatementLine)
        and isinstance(line.body[0], cst.Expr)
        and isinstance(line.body[0].value, cst.SimpleString | cst.ConcatenatedString)
    )


def _module_of(line: cst.BaseStatement) -> str:
    """The top-level package of the first import of a line; "" for a relative one."""
    first = line.body[0] if isinstance(line, cst.SimpleStatementLine) else None
    if isinstance(first, cst.Import):
        return dotted_name(first.names[0].name).partition(".")[0]
    if isinstance(first, cst.ImportFrom) and not first.relative and first.module is not None:
        return dotted_name(first.module).partition(".")[0]
    return ""
