"""A place in a state: `pages['Home'].tags[0]`, as digests and differences name it. The state is data, see coopy/inert.py."""

from __future__ import annotations

import ast
import re
from typing import Any

from coopy.cli.text import short_name, value_text
from coopy.error import UsageError
from coopy.inert import Bag, Table, Thing

__all__ = ["parts_of", "selected"]

STEP = re.compile(r"""\.?(?P<name>[^\W\d]\w*)|\[(?P<key>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\]]+)\]""")
WIDTH = 60
FEW = 8


def selected(root: Any, path: str) -> Any:
    """What is at this place. Raises UsageError where nothing is."""
    value, at = root, 0
    while at < len(path):
        step = STEP.match(path, at)
        if step is None:
            raise UsageError(f"--path {path!r} cannot be read from {path[at:]!r} on: it is like pages['Home'].title", option="path")
        if at or step["name"] is None or not _is_name_of(root, step["name"]):
            value = _step(value, step, path)
        at = step.end()
    return value


def _is_name_of(root: Any, name: str) -> bool:
    """Whether a path begins with what the domain object is called in digests and differences."""
    return isinstance(root, Thing) and name == short_name(root.name).lower() and name not in root.attributes


def _step(value: Any, step: re.Match[str], path: str) -> Any:
    parts = parts_of(value)
    label = f".{step['name']}" if step["name"] is not None else f"[{value_text(_key(step['key'], path), WIDTH)}]"
    for name, part in parts:
        if name.lstrip(".") == label.lstrip("."):
            return part
    known = ", ".join(name for name, _ in parts[:FEW]) or "nothing"
    raise UsageError(
        f"--path {path!r}: there is no {label} before {path[step.end() :]!r}. There is {known}{', …' if len(parts) > FEW else ''}.",
        option="path",
    )


def _key(text: str, path: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise UsageError(f"--path {path!r}: {text} is no key: it is like ['Home'] or [0].", option="path") from error


def parts_of(value: Any) -> list[tuple[str, Any]]:
    """What a value consists of, each part with the step that leads to it."""
    if isinstance(value, Thing):
        own = [(name, part) for name, part in value.attributes.items()]
        return [*own, *_indexed(value.items), *_keyed(value.pairs)]
    if isinstance(value, Table):
        return _keyed(value.pairs)
    if isinstance(value, Bag):
        return []
    return _indexed(value) if isinstance(value, list | tuple) else []


def _indexed(values: Any) -> list[tuple[str, Any]]:
    return [(f"[{number}]", part) for number, part in enumerate(values)]


def _keyed(pairs: list[tuple[Any, Any]]) -> list[tuple[str, Any]]:
    return [(f"[{value_text(key, WIDTH)}]", part) for key, part in pairs]
