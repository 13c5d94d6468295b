"""What a project says about coopy: `[tool.coopy]` of the nearest pyproject.toml at or above a place."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from coopy.error import UsageError

__all__ = ["Project", "project_at"]

NAME = "pyproject.toml"


class Project(msgspec.Struct, frozen=True):
    """`folder`: where the file lies; `settings`: its `[tool.coopy]`, empty if it has none; not to be changed."""

    folder: Path
    settings: dict[str, Any] = {}


def project_at(place: Path) -> Project | None:
    """The project that a folder, or a file in it, belongs to; None if there is no pyproject.toml. Raises UsageError where it cannot be read."""
    for folder in (place, *place.parents):
        try:
            data = (folder / NAME).read_bytes()
        except OSError:
            continue
        return Project(folder, _settings(folder / NAME, data))
    return None


@lru_cache(maxsize=4)
def _settings(path: Path, data: bytes) -> dict[str, Any]:
    """Of these bytes. The last are remembered: most of the time of another opening would go into the same text."""
    if b"coopy" not in data:
        return {}
    import tomllib

    try:
        found = tomllib.loads(data.decode("utf-8")).get("tool", {}).get("coopy", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, AttributeError) as error:
        raise UsageError(f"{path} cannot be read: {error}. Nothing was opened or changed.", path=str(path)) from None
    return found if isinstance(found, dict) else {}
