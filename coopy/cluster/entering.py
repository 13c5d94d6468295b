"""Before a node takes anything of its stream: is it there, do servers keep it as they must, is it the directory's, and what do all nodes leave out.

All of it is asked from the thread that opens the node.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from coopy.cluster.durable import AwayError, prove
from coopy.cluster.left_out import agreed
from coopy.cluster.link import PATIENCE, PAUSE
from coopy.engine.ordered import OrderedEngine
from coopy.error import ClusterError, CoopyError

if TYPE_CHECKING:
    from coopy.cluster.beginnings import Beginnings
    from coopy.cluster.generations import Generations
    from coopy.cluster.stream import About, Stream
    from coopy.engine.system import System

__all__ = ["LeftBehindError", "agree", "check_kept", "check_whose", "is_left_behind"]

GONE = 10.0  # seconds in which the servers notice that one of them is gone


class LeftBehindError(ClusterError):
    """What this directory was following is gone, and others go on."""


def check_kept(stream: Stream) -> About:
    """That the servers which keep the stream sync what they acknowledge. Gives what they say of it. Raises ClusterError."""
    deadline = time.monotonic() + GONE
    while True:
        about = _about(stream)
        if stream.assume_durable:
            return about
        try:
            stream.link.run(prove(stream.link.addresses, about.peers))
        except AwayError:
            if time.monotonic() > deadline:
                raise
            time.sleep(PAUSE)
        else:
            return about


def _about(stream: Stream) -> About:
    about: About | None = stream.link.run(stream.about())
    if about is None:
        raise _gone(stream)
    return about


def _gone(stream: Stream) -> ClusterError:
    """What there is in its place, and how to go on with that, or with what this directory holds."""
    what, ways = f"The stream {stream.name} is not there (any more), and it is not made again", "If it is gone for good, another"
    later = [one for one in stream.link.run(stream.generations()) if one > stream.generation]
    if later:
        what = f"The stream {stream.name} is gone, and {stream.of(later[-1]).name}, which follows, has no snapshot to begin with yet"
        ways = "If a node is open that has gone on there, control(...).share_snapshot() of it sends one: open this directory again then. Else another"
    ways += " cluster begins with that: coopy.restore, as docs/cluster.md says"
    return ClusterError(f"{what}: what it held is in the nodes' directories. Nothing was changed. {ways}.")


def check_whose(system: System, here: Beginnings, about: About, key: bytes) -> None:
    """That it is the stream which this directory is of, before anything is asked of it. Raises ClusterError."""
    link, identity, last = here.stream.link, system.archive.identity, _engine_of(system).progress.last
    link.run(link.again(lambda: here.verify(about, about.created, identity.system, last, key), PATIENCE), None)


def agree(system: System, here: Beginnings, key: bytes) -> tuple[int, int]:
    """What all nodes leave out, this one does, too. Gives where the newest join stands that was known: generation and sequence. Raises ClusterError."""
    engine, archive = _engine_of(system), system.archive
    skips = frozenset(archive.manifest.skips)
    place: tuple[int, int]
    place, engine.left_out = here.stream.link.run(agreed(here, key, archive.directory, skips, engine.journal.lsn), None)
    if engine.left_out != skips:
        engine.exclusively(lambda: archive.change(skips=tuple(sorted(engine.left_out))))
    return place


def is_left_behind(system: System, generations: Generations) -> bool:
    """Whether its stream is gone, and others go on. If that cannot be known now, why the node does not follow says more."""
    try:
        return generations.left_behind(system.archive.identity.system, _engine_of(system).progress.last)
    except CoopyError:
        return False


def _engine_of(system: System) -> OrderedEngine:
    assert isinstance(system.engine, OrderedEngine)
    return system.engine
