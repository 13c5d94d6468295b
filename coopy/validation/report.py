"""Findings -> text for people, JSON, SARIF, or lines that a GitHub action shows. Decides nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from coopy.validation.quote import Lines, relative

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from coopy.validation.summary import Problem
    from coopy.validation.verdict import Finding


def text(findings: Iterable[Finding], problems: Iterable[Problem]) -> str:
    """For people: the finding, its line with a caret, the way to it, and what to write instead."""
    quote = Lines()
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


def sarif(findings: Iterable[Finding], problems: Iterable[Problem]) -> str:
    """For code scanning. Its table of rules is loaded where it is asked for, not at each opening of a system."""
    from coopy.validation.sarif import sarif as document

    return document(findings, problems)


FORMATS: dict[str, Callable[[Iterable[Finding], Iterable[Problem]], str]] = {
    "text": text,
    "json": as_json,
    "github": github,
    "sarif": sarif,
}
