"""The directory of a node: the snapshot that a shared journal begins with, and a directory made of a snapshot that came from elsewhere."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from coopy.engine.archive import Archive
from coopy.engine.progress import Progress
from coopy.header import Identity
from coopy.journal.frame import genesis_tag
from coopy.journal.segment import Taken
from coopy.manifest import Manifest, read_manifest
from coopy.snapshot import SnapshotHeader, begin_snapshot, finish_snapshot, python_version, read_through, temporary_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from coopy.engine.opening import Place

__all__ = ["FIRST", "first_snapshot", "install", "new_identity"]

FIRST = Taken(1, b"", 0, 0, 0, 0)  # the message that a shared journal begins with


def new_identity(place: Place) -> Identity:
    """Of a system that did not exist before."""
    return Identity(secrets.token_bytes(16), secrets.token_bytes(32), place.domain)


def first_snapshot(place: Place, identity: Identity, initial: Callable[[object], bytes]) -> str:
    """Write the initial state of a node as a snapshot file under a temporary name, on stable storage. Gives its path."""
    state = initial([Progress(FIRST).values()])
    about = SnapshotHeader(identity, 0, 0, 0, genesis_tag(identity.system, place.key), python_version(), "")
    path = temporary_path(place.directory, 0)
    finish_snapshot(place.disk, begin_snapshot(place.disk, path, about, lambda write: _write(write, state), place.key))
    return path


def _write(write: Callable[[bytes], object], state: bytes) -> None:
    write(state)


def install(place: Place, stream: str, temporary: str, skips: Iterable[int] = ()) -> None:
    """Make the directory of a node of this stream from a snapshot file: every block of it is checked, none decoded. `skips`: what all nodes leave out.

    What an installation that was cut off has left is set aside. Raises CorruptionError, AuthenticationError.
    """
    about, _ = read_through(place.disk, temporary, place.key, None)
    begun = read_manifest(place.disk, place.directory, place.key)
    epoch = max(about.epoch, begun.epoch if begun is not None else 0)
    manifest = Manifest(about.identity, epoch, skips=tuple(sorted(skips)), stream=stream)
    Archive(place.disk, place.directory, place.key, manifest, place.domain).replace_all(about, epoch, temporary).close()
