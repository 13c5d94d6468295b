"""Queries that see what was acknowledged anywhere, for any system."""

from __future__ import annotations

from coopy.engine.settled import Block
from coopy.error import UsageError
from coopy.wiring.systems import engine_of

__all__ = ["linearizable"]


def linearizable(proxy: object) -> Block:
    """A block whose queries see every action that was acknowledged anywhere before they began.

    `with coopy.linearizable(wiki): wiki.read()`
    On a node of a cluster each waits until this node has executed what came before, which takes as long as an action; outside of a block a query is
    answered at once, with what is here. A system of its own has no other way. Raises UsageError for a replica, which cannot know what its primary has.
    Its queries raise ClusterError or UnconfirmedError where the cluster does not answer.
    """
    engine = engine_of(proxy)
    if engine.follows:
        raise UsageError("A replica cannot know what its primary has acknowledged: ask the primary, or wait_for a token of it.")
    return Block(engine)
