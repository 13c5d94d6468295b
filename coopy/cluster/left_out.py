"""Which actions the nodes leave out, as `coopy repair --skip` has it: alike on all of them, or they come to differ.

    said      each node joins with all that its directory leaves out, so the newest join says what the cluster does
    agreed    before a node takes anything. What the cluster leaves out, and was not executed here yet, is left out here, too. What was executed here already,
              or on nodes that are open now, is refused: nobody can take it back

A new node's directory is made with what the cluster leaves out, and of a snapshot that holds nothing of it (generations.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.cluster.link import PATIENCE
from coopy.error import ClusterError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coopy.cluster.beginnings import Beginnings

__all__ = ["agreed", "named"]


async def agreed(beginnings: Beginnings, key: bytes, directory: str, here: frozenset[int], last: int) -> tuple[int, frozenset[int]]:
    """The sequence of the newest join, and what this node leaves out. `here`: what its directory does, whose journal ends with `last`. Raises ClusterError."""
    stream = beginnings.stream
    sequence, there = await stream.link.again(lambda: beginnings.left_out(key), PATIENCE)
    if not sequence:
        return 0, here
    executed = sorted(lsn for lsn in there - here if lsn <= last)
    if executed:
        what = f"The nodes of the cluster leave out {named(executed)}, and {directory} has executed that. Nothing was changed"
        ways = f"`coopy repair --skip LSN {directory}` leaves one out here, too; or move the directory away: the node takes its state from the cluster"
        raise ClusterError(f"{what}. {ways}.", lsn=executed[0])
    alone = sorted(here - there)
    others = await stream.link.again(stream.nodes, PATIENCE) if alone else []
    if others:
        what = f"{directory} leaves out {named(alone)}, and nodes are open that have executed that. Nothing was changed"
        ways = "Close them all, leave the same out in the directory of each, or move it away, and open this one first"
        raise ClusterError(f"{what}. {ways}.", lsn=alone[0])
    return sequence, here | there


def named(lsns: Iterable[int]) -> str:
    """These actions, for people."""
    found = [*map(str, lsns)]
    return f"the action{'s' if len(found) > 1 else ''} with LSN {', '.join(found)}"
