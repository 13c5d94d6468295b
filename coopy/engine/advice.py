"""What could be done about a damaged directory, as told by the functions that would do it, run dry: what is advised can be done.

A way that would change nothing about the damage is none. Nothing is changed here, and no lock is taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from coopy.disk import UnreadableError
from coopy.engine.cut import plan_cut
from coopy.engine.mend import plan_manifest
from coopy.engine.opening import HIGH_WATER, read_archive, read_listed
from coopy.engine.prune import plan_prune
from coopy.error import CoopyError, UsageError
from coopy.manifest import NAME as MANIFEST
from coopy.manifest import OTHERS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from coopy.engine.archive import Archive
    from coopy.engine.opening import Place

__all__ = ["Way", "copies", "ways_out"]

COPY = "another copy"


class Way(msgspec.Struct, frozen=True):
    """What to call, and what it would do."""

    command: str
    words: str


def copies(place: Place, damaged: Collection[str]) -> Iterator[Way]:
    """From where a copy of what these files held may come."""
    if MANIFEST in damaged:
        yield Way(
            COPY, "of the file, from a backup of this directory, loses nothing; that of a replica or another node says that it is theirs"
        )
        return
    archive = read_listed(place)
    if archive is not None and archive.manifest.stream:
        yield Way(COPY, "of the file, from a backup of this directory, loses nothing")
        yield Way("the directory anew", "loses nothing: move this one away and open the node, which takes everything from the cluster")
        return
    yield Way(COPY, "of the file, from a backup or a replica, loses nothing: it fits if `coopy check` finds all whole then")
    if archive is not None and archive.manifest.follows:
        yield Way(
            "the directory anew", "has what the primary has: move this one away and open the replica, which takes everything from there"
        )


def ways_out(place: Place, damaged: Collection[str]) -> Iterator[Way]:
    """The ways that lead on where the files of these names are damaged or missing."""
    for way in (_tail, _manifest, _prune):
        try:
            found = way(place, damaged)
        except (CoopyError, UnreadableError):
            continue  # it would be refused: it is no way out
        if found is not None:
            yield found


def _tail(place: Place, _damaged: Collection[str]) -> Way | None:
    words = plan_cut(place).words
    return Way("--drop-tail", words) if words else None


def _manifest(place: Place, damaged: Collection[str]) -> Way | None:
    archive = None if MANIFEST in damaged else read_listed(place)
    if archive is None:
        return _anew(place)
    plan = plan_manifest(place, follows=False)  # it is believed where it can be read
    left_out = [lsn for lsn in archive.manifest.snapshots if lsn not in plan.manifest.snapshots]
    if not left_out and HIGH_WATER not in damaged:
        return None
    without = f" The snapshot at LSN {', '.join(map(str, left_out))} is left out." if left_out else " HWM, too, as the journal ends now."
    return Way("--manifest", f"{plan.words}{without}")


def _anew(place: Place) -> Way:
    """Whose directory it is, nobody can say here."""
    try:
        return Way("--manifest", f"{plan_manifest(place, follows=False).words} It takes to be told whose it is: {OTHERS}.")
    except UsageError:
        return Way("--manifest --node NAME", "MANIFEST is written anew: NAME is the cluster's whose node this is.")


def _prune(place: Place, damaged: Collection[str]) -> Way | None:
    """Dropping as few snapshots as will do."""
    archive = read_archive(place)
    if archive is None:
        return None
    for keep in range(len(archive.manifest.snapshots), 0, -1):
        went = _gone(archive, keep)
        if went and not set(damaged) - set(went):
            return Way(f"coopy prune --keep {keep}", f"drops {', '.join(went)}: the state stays, the actions in there are lost.")
    return None


def _gone(archive: Archive, keep: int) -> list[str]:
    """What pruning would drop; nothing, where it would be refused."""
    try:
        return plan_prune(archive, keep)[1]
    except (CoopyError, UnreadableError):
        return []
