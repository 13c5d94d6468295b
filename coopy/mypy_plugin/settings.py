"""What `[tool.coopy]` says to the plugin: `domains`, classes that no module of theirs passes to init_system, as for the validator."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

__all__ = ["domains"]


def domains(config_file: str | None) -> tuple[str, ...]:
    """The full names of the classes in `domains`, from the nearest pyproject.toml at or above mypy's configuration, else the working directory.

    One that cannot be read says nothing here: the validator refuses it by name.
    """
    here = Path(config_file).absolute().parent if config_file else Path.cwd()
    for folder in (here, *here.parents):
        path = folder / "pyproject.toml"
        if path.is_file():
            named = _section(path).get("domains")
            return tuple(sorted(one.replace(":", ".") for one in named if isinstance(one, str))) if isinstance(named, list) else ()
    return ()


def _section(path: Path) -> dict[str, Any]:
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("coopy", {})
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}
