"""In which order files are parsed ahead of the linker: as it is likely to ask for them, which is as the program's imports lead from its domains."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coopy.validation.source import Sources


def in_order(sources: Sources, paths: Iterable[str], domains: Iterable[str]) -> list[str]:
    """All of the paths, each once: first the modules of domains (`module:Class`), files that may wrap one, and what they import, depth first."""
    left = dict.fromkeys(paths)
    by_name = {sources.module_name(path)[0]: path for path in reversed(left)}
    imported = {path: sources.imports(path) for path in left}
    starts = [by_name.get(one.partition(":")[0]) for one in domains] + [path for path in left if sources.may_wrap(path)]
    out: list[str] = []
    stack = [path for path in reversed(starts) if path is not None]
    while stack:
        if (path := stack.pop()) in left:
            del left[path]
            out.append(path)
            found = [by_name.get(one) for one in imported[path]]
            stack += [one for one in reversed(found) if one in left]
    return [*out, *left]
