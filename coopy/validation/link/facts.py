"""What others may rely on about a domain class: see `Facts`. Computed when the analysis has settled."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from coopy.validation.link.hazards import type_name
from coopy.validation.link.untouched import Untouched
from coopy.validation.link.values import ACTION, FunctionValue, Method, Object
from coopy.validation.live import digests_in
from coopy.validation.verdict import Facts, Free, content_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coopy.validation.link.analysis import Analysis
    from coopy.validation.link.machine import Context
    from coopy.validation.link.values import Value

__all__ = ["facts_of"]


def facts_of(analysis: Analysis, keys: Mapping[str, str]) -> Facts:
    """The facts of an analysis. `keys`: the contents, by path, that it has read."""
    return Facts(_readonly(analysis), tuple(_free(analysis, keys)), _attributes(analysis))


def _readonly(analysis: Analysis) -> tuple[str, ...]:
    """Public methods that change nothing that lasts, nor call what is not known; what they make themselves counts as a change."""
    changing = {one.name for one in analysis.entries if one.mode == ACTION and any(context.changes for context in _reached(one.context))}
    return tuple(sorted({one.name for one in analysis.entries if one.name != "__init__"} - changing))


def _reached(start: Context) -> set[Context]:
    seen, stack = {start}, [start]
    while stack:
        for callee, _ in stack.pop().calls:
            if callee not in seen:
                seen.add(callee)
                stack.append(callee)
    return seen


def _free(analysis: Analysis, keys: Mapping[str, str]) -> list[Free]:
    """Methods that change nothing before they raise, each function by the digest of its code."""
    found, digests = [], dict[str, dict[str, str]]()
    for one in Untouched(analysis).free() if analysis.marked("abort_exception") else ():
        named: dict[str, str] = {}
        for way, place in one.functions.items():
            path, _, qualname = place.partition("\n")
            if path not in digests:
                digests[path] = _digests(path, keys)
            named[way] = digests[path].get(qualname, "")
        if all(named.values()):
            found.append(msgspec.structs.replace(one, functions=named))
    return found


def _digests(path: str, keys: Mapping[str, str]) -> dict[str, str]:
    """The functions of a file, if it is still the one that was read."""
    try:
        text = Path(path).read_bytes()
        return digests_in(text, path) if content_key(text) == keys.get(path) else {}
    except (OSError, SyntaxError, ValueError):
        return {}


def _attributes(analysis: Analysis) -> dict[str, tuple[str, ...]]:
    """What those of the domain may hold: names of types, "?" for what is not known."""
    cells = analysis.attributes.get((analysis.domain, ACTION), {})
    return {name: tuple(sorted({_type_of(one) for one in cell.values})) for name, cell in sorted(cells.items()) if cell.values}


def _type_of(value: Value) -> str:
    if isinstance(value, Object):
        return value.cls.full
    return "function" if isinstance(value, (FunctionValue, Method)) else type_name(value) or "?"
