"""Findings -> text for people, JSON, or lines that a GitHub action shows. Decides nothing; reads source lines only to quote them."""

from __future__ import annotations

import json
import linecache
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from coopy.validation.summary import Problem
    from coopy.validation.verdict import Finding


def relative(path: str) -> str:
    """A path as seen from the working directory, if it lies below."""
    here = os.path.realpath(os.curdir)
    return os.path.relpath(path, here) if path.startswith(here + os.sep) else path


class _Lines:
    """Lines of files, to quote them."""

    def __init__(self) -> None:
        self._files: dict[str, list[str]] = {}

    def line(self, path: str, number: int) -> str:
        """A line, "" if there is none."""
        if path not in self._files:
            try:
                self._files[path] = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
            except OSError:
                self._files[path] = linecache.getlines(path)  # a cell of a notebook; else it was there, and is shown without its line
        lines = self._files[path]
        return lines[number - 1] if 0 < number <= len(lines) else ""


def text(findings: Iterable[Finding], problems: Iterable[Problem]) -> str:
    """For people: the finding, its line with a caret, the way to it, and what to write instead."""
    quote = _Lines()
    out = [f"{relative(one.path)}:{one.line}:{one.column}: error: cannot be analysed: {one.message}\n" for one in problems]
    for one in findings:
        out.append(f"{relative(one.path)}:{one.line}:{one.column}: {one.severity} {one.rule} [{one.category}] {one.message}")
        line = quote.line(one.path, one.line)
        if line.strip():
            out.append(f"    {line.replace(chr(9), ' ')}\n    {' ' * (one.column - 1)}^")
        if len(one.call_path) > 1:
            out.append("  reached by")
            out += [f"    {step.name}  {relative(step.path)}:{step.line}" for step in one.call_path]
        elif one.entry_point:
            out.append(f"  in {one.entry_point}")
        out.append(f"  help: {one.help}\n")
    return "\n".join(out)


def as_dict(one: Finding) -> dict[str, Any]:
    """A finding for JSON."""
    return {
        "path": one.path,
        "line": one.line,
        "column": one.column,
        "category": one.category,
        "rule": one.rule,
        "severity": one.severity,
        "message": one.message,
        "help": one.help,
        "domain": one.domain,
        "entry_point": one.entry_point,
        "call_path": [{"path": step.path, "line": step.line, "name": step.name} for step in one.call_path],
    }


def as_json(findings: Iterable[Finding], problems: Iterable[Problem]) -> str:
    """One JSON object."""
    errors = [{"path": one.path, "line": one.line, "column": one.column, "message": one.message} for one in problems]
    return json.dumps({"findings": [as_dict(one) for one in findings], "errors": errors}, indent=1)


def github(findings: Iterable[Finding], problems: Iterable[Problem]) -> str:
    """Workflow commands, one a line."""
    out = [_command("error", one.path, one.line, one.column, "cannot be analysed", one.message) for one in problems]
    out += [
        _command(one.severity, one.path, one.line, one.column, f"{one.rule} {one.category}", f"{one.message} {one.help}")
        for one in findings
    ]
    return "\n".join(out)


def _command(level: str, path: str, line: int, column: int, title: str, message: str) -> str:
    escaped = message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return f"::{level} file={relative(path)},line={line},col={column},title={title}::{escaped}"


FORMATS: dict[str, Callable[[Iterable[Finding], Iterable[Problem]], str]] = {"text": text, "json": as_json, "github": github}
