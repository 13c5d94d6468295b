"""The file MANIFEST: what belongs to a data directory, and how often it was opened for writing.

One header (coopy/header.py) and nothing else. It can be rebuilt from the other files; its job is to notice that one of them is
missing, and to keep the epoch. It changes only at open, rotation, snapshot, prune and close, each time as a whole: a temporary file,
synced, renamed, directory synced. A manifest without snapshots means that creating the directory was not finished.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from coopy import header
from coopy.disk import write_whole
from coopy.error import CorruptionError, FormatError

if TYPE_CHECKING:
    from coopy.disk import Disk

__all__ = ["OTHERS", "RETURNED", "Code", "Listed", "Manifest", "read_manifest", "write_manifest"]

NAME = "MANIFEST"
RETURNED = 0  # an action, and there is no record that says so
NOT_CLOSED = -1
OTHERS = "with --replica, if it is a replica's; with --node NAME, if it is a node's, of the cluster with this name"  # what is to be said to rebuild one


class Listed(msgspec.Struct, frozen=True, array_like=True):
    """A segment: its first LSN and the tag of the record before it. `digest`: SHA-256 of its first `size` bytes, whose records were checked one by one."""

    first_lsn: int
    previous_tag: bytes
    size: int = 0
    digest: bytes = b""


class Code(msgspec.Struct, frozen=True, array_like=True):
    """Since which epoch and LSN a directory is written by which source. `digest`: of all; `modules`: of each, by name, for the last one only."""

    epoch: int
    lsn: int
    digest: bytes
    modules: dict[str, bytes] = {}


class Manifest(msgspec.Struct, frozen=True):
    """`closed`: the last LSN if the system was closed cleanly, else -1. `skips`: actions that `coopy repair --skip` leaves out. Lists are in order of LSN.

    `follows`: this is a replica's, whose journal is its primary's. `code`: what source wrote it, as far as known: the last changes of it.
    `replica`: what tells it from other replicas, at random; empty where it never was one. `noted`: how actions that a replica's snapshot holds
    ended there, of which its primary's journal had not said so yet: kind of record or RETURNED, LSN, what raised. `stream`: this is a node's, of the
    cluster whose shared journal has this name.
    """

    identity: header.Identity
    epoch: int
    segments: tuple[Listed, ...] = ()
    snapshots: tuple[int, ...] = ()
    closed: int = NOT_CLOSED
    skips: tuple[int, ...] = ()
    follows: bool = False
    code: tuple[Code, ...] = ()
    noted: tuple[tuple[int, int, str], ...] = ()
    replica: bytes = b""
    stream: str = ""


def read_manifest(disk: Disk, directory: str, key: bytes) -> Manifest | None:
    """The directory's manifest; None if there is none. Raises CorruptionError, FormatError or AuthenticationError."""
    path = f"{directory}/{NAME}"
    if not disk.exists(path):
        return None
    try:
        manifest, _ = header.unpack(disk.read(path), header.MANIFEST, Manifest, key, path)
    except FormatError:
        raise  # not damage
    except CorruptionError as error:
        ways = f"Put it back from a backup, or rebuild it: `coopy repair --manifest {directory}` ({OTHERS})."
        raise CorruptionError(f"{error} Nothing was changed. {ways}", **vars(error)) from error
    return manifest


def write_manifest(disk: Disk, directory: str, manifest: Manifest, key: bytes) -> None:
    """Replace the manifest; it is on stable storage when this returns."""
    write_whole(disk, directory, NAME, header.pack(header.MANIFEST, manifest, key))


_OWN = r"(MANIFEST|LOCK|HWM|quarantine|journal-[0-9]{20}\.log|snapshot-[0-9]{20}\.snap(\.[0-9a-f]{8}(?=\.tmp))?)(\.tmp)?"


def is_own(name: str) -> bool:
    """Whether a file of this name may lie in a data directory: coopy's own, a hidden one, or a file system's `lost+found`."""
    return re.fullmatch(_OWN, name) is not None or name.startswith(".") or name == "lost+found"


def is_leftover(name: str) -> bool:
    """Whether a file of this name is what somebody was writing, or throwing away, when a crash came."""
    return name.endswith(".tmp") and is_own(name) and not name.startswith(".")
