"""What it takes to read a directory beside whoever writes it: a value that fresh processes are handed, too."""

from __future__ import annotations

import msgspec

from coopy.codec import Codec
from coopy.disk import RealDisk
from coopy.engine.opening import Place
from coopy.renames import NO_NAMES, Names

__all__ = ["Subject"]


class Subject(msgspec.Struct, frozen=True):
    """Which directory, and what it takes to read it. `domain`: its class, "module:Name"; `names`: where former names lead, if that is known."""

    directory: str
    domain: str
    key: bytes = b""
    allow: tuple[str, ...] = ()
    names: Names | None = None

    @property
    def place(self) -> Place:
        """Where it is."""
        return Place(RealDisk(), self.directory, self.key, self.domain, self.names or NO_NAMES)

    @property
    def codec(self) -> Codec:
        """What its calls and states are decoded by."""
        return Codec((self.domain.partition(":")[0].partition(".")[0],), self.allow, self.names or NO_NAMES)

    @property
    def in_script(self) -> bool:
        """Whether it takes classes of the script that is the program."""
        return any(name.partition(":")[0] == "__main__" for name in (self.domain, *self.allow))
