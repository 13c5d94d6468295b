"""Systems of a test: opened in a directory that goes afterwards, closed and opened again, killed and opened again."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from coopy.error import UsageError
from coopy.testing.call import kind_of
from coopy.testing.clock import wall
from coopy.testing.unsynced import UnsyncedDisk
from coopy.wiring import Options, control, open_proxy
from coopy.wiring.systems import opened_again, system_of

if TYPE_CHECKING:
    import os

__all__ = ["Systems", "crash", "restart"]

T = TypeVar("T")


def restart(system: T) -> T:
    """Close a system and open it again, by the same class and options. Gives the new proxy; the old one stays closed."""
    was = system_of(system)
    was.close()
    return _opened(system, was.archive.directory)


def crash(system: T, directory: str | os.PathLike[str] | None = None) -> T:
    """Copy the directory as it is now, as a kill would leave it, and open the copy. Gives its proxy.

    The system itself goes on, so that both can be compared. Without a `directory` the copy is beside the original, with "-crashed" and a number behind its name.
    """
    was = system_of(system)
    to = _beside(was.archive.directory) if directory is None else Path(directory).absolute()
    if to.exists():
        raise UsageError(f"{to} exists already: a crashed copy is made in a directory that is not there yet.", path=str(to))
    was.engine.exclusively(lambda: shutil.copytree(was.archive.directory, to))
    return _opened(system, str(to))


def _beside(directory: str) -> Path:
    number = 1
    while (to := Path(f"{directory}-crashed{number}")).exists():
        number += 1
    return to


def _opened(system: T, directory: str) -> T:
    was = system_of(system)
    again: T = opened_again(system, directory, was.archive.disk)
    system_of(again).engine.wall = was.engine.wall
    return again


class Systems:
    """Opens systems in a directory of its own: `systems(Wiki)`. At the end of `with`, all are closed and the directory is gone.

    Calls are "buffered" unless `durability` says otherwise, and nothing waits for the device: a test does not outlast the operating system.
    """

    def __init__(self, directory: str | os.PathLike[str] | None = None) -> None:
        self._own = tempfile.TemporaryDirectory(prefix="coopy-") if directory is None else None
        self.directory = Path(self._own.name if self._own is not None else directory or "")
        self._open = ExitStack()

    @overload
    def __call__(self, domain: type[T], name: str | None = None, **options: Any) -> T: ...
    @overload
    def __call__(self, domain: T, name: str | None = None, **options: Any) -> T: ...
    def __call__(self, domain: Any, name: str | None = None, **options: Any) -> Any:
        """As `init_system`, in a directory of this `name` (by default the class's, in lower case). `options`: as there."""
        kind = kind_of(domain)
        directory = self.directory / (name or kind.__name__.lower())
        proxy = open_proxy(domain, directory, Options(**{"durability": "buffered", **options}), UnsyncedDisk())
        system_of(proxy).engine.wall = wall
        return self._kept(proxy)

    def restart(self, system: T) -> T:
        """As `restart`; the new one is closed at the end, too."""
        return self._kept(restart(system))

    def crash(self, system: T) -> T:
        """As `crash`, in the same directory; the copy's system is closed at the end, too."""
        return self._kept(crash(system))

    def _kept(self, proxy: T) -> T:
        self._open.callback(control(proxy).close)
        return proxy

    def close(self) -> None:
        """Close every system that is open, the last one first."""
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.close()
        finally:
            if self._own is not None:
                self._own.cleanup()
