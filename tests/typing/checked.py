"""mypy with the plugin, as its users run it: from a folder with a configuration, cold, over its cache, as a daemon; the newest and the oldest."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

OLDEST = Path(sys.prefix) / "oldest-mypy"  # `make test` puts it there


def with_oldest() -> dict[str, str]:
    """The environment in which `python -m mypy` is the oldest one that the plugin knows."""
    assert OLDEST.is_dir(), (
        f"{OLDEST} is missing: run the tests by `make test`, or `pip install --target {OLDEST} -r tests/typing/oldest.txt`"
    )
    path = [str(OLDEST), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}


class Reports(NamedTuple):
    """What mypy printed, by line, and how it ended."""

    lines: list[str]
    code: int

    def codes(self) -> list[tuple[str, int, str]]:
        """File, line and error code of each error."""
        errors = [line for line in self.lines if ": error: " in line]
        return sorted((line.split(":")[0], int(line.split(":")[1]), line.rpartition("[")[2].rstrip("]")) for line in errors)


class Project:
    """A folder with source files and a configuration."""

    def __init__(self, folder: Path, files: dict[str, str], *, plugins: str = "coopy.mypy_plugin", settings: str = "") -> None:
        self.folder = folder
        self.write(files)
        text = f"[mypy]\nstrict = True\nplugins = {plugins}\nshow_traceback = True\n{settings}"
        self.write({"mypy.ini": text})

    def write(self, files: dict[str, str]) -> None:
        """New texts of files."""
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace what stands once in a file."""
        text = (self.folder / name).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        self.write({name: text.replace(old, new)})

    def cold(self, *options: str, env: dict[str, str] | None = None) -> Reports:
        """Without any cache."""
        return self._run("mypy", "--cache-dir", os.devnull, *options, ".", env=env)

    def fresh(self, libraries: Path, *options: str) -> Reports:
        """Over a copy of a cache of others' modules, in which there is none of its own: they are checked as in a cold run, that takes much longer."""
        copy = self.folder / ".libraries"
        shutil.copytree(libraries, copy)
        try:
            return self._run("mypy", "--cache-dir", str(copy), *options, ".")
        finally:
            shutil.rmtree(copy)

    def begin_with(self, libraries: Path) -> None:
        """The cache is a copy of that one, so that the first run over it is a fresh one."""
        shutil.copytree(libraries, self.folder / ".mypy_cache")

    def cached(self, *options: str, env: dict[str, str] | None = None) -> Reports:
        """Over the cache of the runs before."""
        return self._run("mypy", *options, ".", env=env)

    def daemon(self, env: dict[str, str] | None = None) -> Reports:
        """By the daemon, started where none runs."""
        return self._run("mypy.dmypy", "--status-file", "daemon.json", "run", "--timeout", "60", "--", ".", env=env)

    def stop_daemon(self) -> None:
        """No daemon stays behind."""
        self._run("mypy.dmypy", "--status-file", "daemon.json", "stop")

    def _run(self, module: str, *arguments: str, env: dict[str, str] | None = None) -> Reports:
        command = [sys.executable, "-m", module, *arguments]
        done = subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True, timeout=100, check=False)
        assert done.returncode in (0, 1) or "errors prevented further checking" in done.stdout, f"{done.stdout}\n{done.stderr}"
        lines = done.stdout.splitlines()
        return Reports([line for line in lines if not line.startswith(("Found ", "Success", "Daemon "))], done.returncode)


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What mypy keeps of the modules that the projects here import."""
    text = "from coopy import init_system\nfrom coopy.decorators import readonly\n"
    project = Project(tmp_path_factory.mktemp("libraries"), {"libraries.py": text})
    assert project.cached().lines == []
    return project.folder / ".mypy_cache"
