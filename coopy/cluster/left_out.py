"""Which actions the nodes leave out, as `coopy repair --skip` has it: alike on all of them, or they come to differ.

    said      each node joins with all that its directory leaves out, so the newest join of all streams says what the cluster does
    agreed    before a node takes anything. What the cluster leaves out, and was not executed here yet, is left out here, too. What was executed here already,
              or on nodes that are open now, is refused: nobody can take it back

A new node's directory is made with what the cluster leaves out, and of a snapshot that holds nothing of it (generations.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.cluster.link import PATIENCE, NoStreamError
from coopy.error import ClusterError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coopy.cluster.beginnings import Beginnings

__all__ = ["agreed", "named"]


async def agreed(
    beginnings: Beginnings, key: bytes, directory: str, here: frozenset[int], last: int
) -> tuple[tuple[int, int], frozenset[int]]:
    """The place of what says last what the cluster leaves out, and what this node does. `here`: what its directory does, whose journal ends with `last`.

    The nodes may be streams ahead of this one. Raises ClusterError.
    """
    streams = await _streams(beginnings)
    place, there = await _said(streams, key, here)
    executed = sorted(lsn for lsn in there - here if lsn <= last)
    if executed:
        what = f"The nodes of the cluster leave out {named(executed)}, and {directory} has executed that. Nothing was changed"
        ways = f"`coopy repair --skip LSN {directory}` leaves one out here, too; or move the directory away: the node takes its state from the cluster"
        raise ClusterError(f"{what}. {ways}.", lsn=executed[0])
    alone = sorted(here - there)
    if alone and await _is_open(streams):
        what = f"{directory} leaves out {named(alone)}, and nodes are open that have executed that. Nothing was changed"
        ways = "Close them all, leave the same out in the directory of each, or move it away, and open this one first"
        raise ClusterError(f"{what}. {ways}.", lsn=alone[0])
    return place, here | there


async def _streams(beginnings: Beginnings) -> list[Beginnings]:
    """All of the cluster's that are there, the newest first."""
    stream = beginnings.stream
    return [beginnings.of(one) for one in reversed(await stream.link.again(stream.generations, PATIENCE))]


async def _said(streams: list[Beginnings], key: bytes, here: frozenset[int]) -> tuple[tuple[int, int], frozenset[int]]:
    """What the cluster leaves out, as the newest join says, or a snapshot of a stream in which nobody has joined; and the place of that. Else as it is here."""
    for one in streams:
        found = await one.stream.link.again(lambda one=one: _said_in(one, key), PATIENCE)  # type: ignore[misc]
        if found is not None:
            return found
    return (0, 0), here


async def _said_in(one: Beginnings, key: bytes) -> tuple[tuple[int, int], frozenset[int]] | None:
    generation = one.stream.generation
    try:
        sequence, there = await one.left_out(key)
        if sequence:
            return (generation, sequence), there
        _, snapshot = await one.announced(key)
    except NoStreamError:  # it has just been deleted: another one says it
        return None
    return ((generation, 0), frozenset(snapshot.left_out)) if snapshot is not None else None


async def _is_open(streams: list[Beginnings]) -> bool:
    """Whether any node takes from one of them."""
    for one in streams:
        if await one.stream.link.again(one.stream.nodes, PATIENCE):
            return True
    return False


def named(lsns: Iterable[int]) -> str:
    """These actions, for people."""
    found = [*map(str, lsns)]
    return f"the action{'s' if len(found) > 1 else ''} with LSN {', '.join(found)}"
