"""A program that changes under its data: a package on disk, in one version after another."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "shelf"


class Program:
    """The package `shelf`, whose domain class is made of the text of the version."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self._monkeypatch, self.version = folder, monkeypatch, 0

    @property
    def path(self) -> Path:
        """Where the version is that runs."""
        return self.folder / f"version{self.version}"

    def become(self, text: str, **modules: str) -> Any:
        """Write the next version and load it as a new process would. Gives the package's module."""
        self.write(text, **modules)
        self._monkeypatch.syspath_prepend(str(self.path))
        self.forget()
        importlib.invalidate_caches()
        return importlib.import_module(PACKAGE)

    def write(self, text: str, **modules: str) -> None:
        """Write the next version."""
        self.version += 1
        package = self.path / PACKAGE
        package.mkdir(parents=True)
        for name, source in {"__init__": text, **modules}.items():
            (package / f"{name}.py").write_text(dedent(source))

    def forget(self) -> None:
        """Unload the package, and modules of that name."""
        for name in [one for one in sys.modules if one.partition(".")[0] == PACKAGE]:
            del sys.modules[name]

    def run(self, script: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a script in a process of its own, beside the version that was written last, in the folder of all versions."""
        environment = {**os.environ, "PYTHONPATH": f"{self.path}{os.pathsep}{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(
            [sys.executable, "-c", dedent(script)],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=check,
            timeout=100,
        )


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A program without a version yet. It is unloaded in the end."""
    made = Program(tmp_path, monkeypatch)
    yield made
    made.forget()
