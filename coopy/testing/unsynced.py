"""The operating system without its syncs, for systems that live as long as a test.

What was written is there for every process, also after a kill. Only the end of the power could take it, and the test ends with that.
"""

from __future__ import annotations

from typing import ClassVar

from coopy.disk import RealDisk
from coopy.disk.files import RealFile

__all__ = ["UnsyncedDisk"]


class _UnsyncedFile(RealFile):
    __slots__ = ()

    def sync(self) -> None:
        """What was written stays where the operating system keeps it. Of a file that was closed it fails as there."""
        self.size()


class UnsyncedDisk(RealDisk):
    """As RealDisk, ten times faster to open a system on: nothing waits for the device."""

    file: ClassVar[type[RealFile]] = _UnsyncedFile

    def sync_directory(self, path: str) -> None:
        """The same of names."""
