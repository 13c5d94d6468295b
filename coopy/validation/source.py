"""Files: which belong to the paths that were named, which module each is. Nothing is ever imported.

    root     a folder from which modules are imported: the first one above a file without `__init__.py`, and each folder that was named

A file that cannot be read or parsed is a problem with a place, never an exception. Knows the cache and extraction; not what code means.
"""

from __future__ import annotations

import importlib.machinery
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from coopy.validation import glance
from coopy.validation import summary as s

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from coopy.validation.cache import Cache

_SKIPPED = frozenset(("__pycache__", "node_modules", "site-packages"))


class SourceError(Exception):
    """A path that cannot be analysed at all."""


class Sources:
    """The files of an analysis, and modules by name. `problems` holds what could not be analysed, in the order of discovery."""

    def __init__(self, paths: Iterable[str], cache: Cache) -> None:
        self.cache = cache
        self.parse: Callable[[str], s.Module | s.Problem] = cache.summary  # of a file that is not at hand
        self.problems: dict[str, s.Problem] = {}
        self.files: list[str] = []
        self.roots: list[str] = []
        self.only: frozenset[str] | None = None  # top-level names that count, where a root holds other people's packages too
        self.places: dict[str, bool] = {}  # whether there was a file, or with a slash behind it a folder, where a module was looked for
        self._summaries: dict[str, s.Module | None] = {}
        self._may_wrap: dict[str, bool] = {}
        self._found: dict[tuple[str, str], str | None] = {}
        self._own_roots: dict[str, str] = {}
        for path in paths:
            self.add(path)

    def add(self, path: str) -> None:
        """Add a file, a folder, or what an importable name stands for. Raises SourceError."""
        where = Path(path)
        if not where.exists():
            where = Path(locate(path))
        real = os.path.realpath(where)
        if where.is_dir():
            self._add_root(real if not (where / "__init__.py").exists() else root_of(real))
            known = set(self.files)
            self.files += [one for one in walk(real, self.problems) if one not in known]
        else:
            self._add_root(root_of(real))
            if real not in self.files:
                self.files.append(real)

    def _add_root(self, root: str) -> None:
        if root not in self.roots:
            self.roots.append(root)

    def summary(self, path: str) -> s.Module | None:
        """The summary of a file; None if there is none, and then `problems` says why."""
        if path not in self._summaries:
            self.take(path, self.parse(path))
        return self._summaries[path]

    def take(self, path: str, result: s.Module | s.Problem) -> None:
        """What was made of a file."""
        if isinstance(result, s.Problem):
            self.problems[path] = result
        self._summaries[path] = result if isinstance(result, s.Module) else None

    def wraps(self, path: str) -> bool:
        """Whether a file mentions init_system; it is not parsed for that if a glance tells that it does not."""
        return self.may_wrap(path) and (summary := self.summary(path)) is not None and summary.wraps

    def may_wrap(self, path: str) -> bool:
        """Whether a file may mention init_system, at a glance."""
        found = self._may_wrap.get(path)
        if found is None:
            found = self._may_wrap[path] = glance.may_wrap(self.data(path))
        return found

    def imports(self, path: str) -> list[str]:
        """Modules that a file is likely to import; and it is known whether it may mention init_system."""
        data = self.data(path)
        self._may_wrap[path] = glance.may_wrap(data)
        name, package = self.module_name(path)
        return list(glance.imports(data, name, package=package))

    def derives(self, path: str) -> dict[str, list[str]]:
        """The classes of a file by the names of their bases: as its summary says, or a glance if it is not at hand, or has none."""
        known = self._summaries.get(path)
        if known is None and (glanced := glance.derives(self.data(path))) is not None:
            return glanced
        summary = known or self.summary(path)
        return {} if summary is None else summary.derives

    def cached(self, path: str) -> bool:
        """Whether a file's summary is at hand or in the cache; it is at hand then."""
        if path not in self._summaries and (known := self.cache.known(path)) is not None:
            self._summaries[path] = known
        return path in self._summaries

    def size(self, path: str) -> int:
        """The bytes of a file; none if it cannot be read."""
        try:
            return os.stat(path).st_size
        except OSError:
            return 0

    def data(self, path: str) -> bytes:
        """The bytes of a file; none if it cannot be read."""
        try:
            with open(path, "rb") as file:
                return file.read()
        except OSError:
            return b""

    def module_name(self, path: str) -> tuple[str, bool]:
        """The dotted name of a file's module, and whether it is a package."""
        root = root_of(path)
        parts = os.path.splitext(path[len(root.rstrip(os.sep)) + 1 :])[0].split(os.sep)
        package = parts[-1] == "__init__"
        return ".".join(parts[:-1] if package else parts), package

    def find(self, name: str, importer: str) -> str | None:
        """The file of a module by name, as seen from a file: its own root first, then the others."""
        if self.only is not None and name.partition(".")[0] not in self.only:
            return None
        own = self._own_roots.get(importer)
        if own is None:
            own = self._own_roots[importer] = root_of(importer) if importer else ""
        key = (name, own)
        if key not in self._found:
            above = [os.path.dirname(root) for root in (own, *self.roots) if os.path.basename(root) == name.partition(".")[0]]
            self._found[key] = next((found for root in (own, *self.roots, *above) if root and (found := self._file_of(root, name))), None)
        return self._found[key]

    def _file_of(self, root: str, name: str) -> str | None:
        base = os.path.join(root, *name.split("."))
        for path in (os.path.join(base, "__init__.py"), f"{base}.py"):
            there = self.places[path] = os.path.isfile(path)
            if there:
                return os.path.realpath(path)
        return None

    def every_root(self) -> list[str]:
        """All roots, those of single files too."""
        return list(dict.fromkeys((*self.roots, *(root_of(one) for one in self.files))))


_ROOTS: dict[str, str] = {}


def root_of(path: str) -> str:
    """The folder from which a file's module is imported."""
    folder = path if os.path.isdir(path) and os.path.exists(os.path.join(path, "__init__.py")) else os.path.dirname(path)
    if path == folder:
        folder = os.path.dirname(path)
    found = _ROOTS.get(folder)
    if found is None:
        start = folder
        while os.path.exists(os.path.join(folder, "__init__.py")):
            folder = os.path.dirname(folder)
        found = _ROOTS[start] = folder
    return found


def package_marks(files: Iterable[str]) -> dict[str, bool]:
    """The places of `__init__.py` that decide which modules files are, and whether one is there."""
    places: dict[str, bool] = {}
    for path in files:
        folder, root = os.path.dirname(path), root_of(path)
        while folder != root and folder != os.path.dirname(folder):
            places[os.path.join(folder, "__init__.py")] = True
            folder = os.path.dirname(folder)
        places[os.path.join(root, "__init__.py")] = False
    return places


def walk(folder: str, problems: dict[str, s.Problem]) -> Iterator[str]:
    """The Python files below a folder, sorted; a symbolic link that leads back is not followed twice."""
    seen: set[str] = set()

    def unlisted(error: OSError) -> None:
        path = str(error.filename)
        problems[path] = s.Problem(path, 1, 1, f"the folder cannot be listed: {error.strerror}")

    for base, folders, names in os.walk(folder, followlinks=True, onerror=unlisted):
        real = os.path.realpath(base)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(
            one
            for one in folders
            if one not in _SKIPPED and not one.startswith(".") and not os.path.exists(os.path.join(base, one, "pyvenv.cfg"))
        )
        for name in sorted(names):
            if name.endswith(".py"):
                yield os.path.join(real, name)


def locate(name: str) -> str:
    """The file or folder of an importable name, found without importing it. Raises SourceError."""
    parts = name.split(".")
    if all(part.isidentifier() for part in parts):
        spec = importlib.machinery.PathFinder.find_spec(parts[0], [os.getcwd(), *sys.path])
        if spec is not None:
            places = list(spec.submodule_search_locations or ()) or [spec.origin or ""]
            for place in places:
                path = os.path.join(place, *parts[1:])
                for candidate in (path, f"{path}.py"):
                    if os.path.exists(candidate):
                        return candidate
    raise SourceError(f"{name}: there is no such file or folder, and nothing importable has that name")
