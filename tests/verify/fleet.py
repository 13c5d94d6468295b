"""Many small domains as one: a verify of all of them costs three processes instead of three for each."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType

HERE = Path(__file__).parent


def cases(folder: str) -> dict[str, ModuleType]:
    """The modules of a folder by name."""
    return {path.stem: importlib.import_module(f"tests.verify.{folder}.{path.stem}") for path in sorted((HERE / folder).glob("*.py"))}


class Fleet:
    """Holds a domain object of each case, and passes calls on."""

    def __init__(self, folder: str) -> None:
        self.members = {name: case.DOMAIN() for name, case in cases(folder).items() if not hasattr(case, "ROOT")}

    def call(self, name: str, method: str, *args: Any) -> None:
        getattr(self.members[name], method)(*args)
