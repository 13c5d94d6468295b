"""A node joins while something else goes on: its stream is sealed, streams are deleted, others write."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from coopy import control
from coopy.cluster.beginnings import Beginnings
from coopy.cluster.link import LostError
from coopy.cluster.moving import Moving
from coopy.cluster.node import Node
from coopy.cluster.stream import Stream
from coopy.engine.ordered import OrderedEngine
from coopy.error import ClusterError
from tests.functional.test_cluster_bad_days import counts, wait_until
from tests.functional.test_cluster_generations import move_on, settled, streams
from tests.lone import peers_of
from tests.servers import Cluster, cluster, level, servers, with_one_away

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coopy.cluster.message import Genesis, Seal
    from coopy.engine.ordered import Message
    from coopy.engine.system import System

__all__ = ["cluster", "servers", "settled"]


def test_a_node_whose_join_came_behind_the_seal_and_cannot_be_said_again_does_not_open(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says why, and does not wait for ever. The next attempt does."""
    one = with_one_away(cluster)
    move_on(one)
    wait_until(lambda: counts(one).generation == 2)
    said, put, sealed = threading.Event(), Stream.put_surely, Moving.sealed

    async def put_once(stream: Stream, what: str, data: bytes, tag: str) -> None:
        if what == "join" and stream.generation > 1:
            raise LostError("Nobody answers any more.")
        await put(stream, what, data, tag)
        if what == "join":
            said.set()

    def seal_later(moving: Moving, found: Seal, sequence: int) -> bool:
        return said.wait(60) and sealed(moving, found, sequence)

    with monkeypatch.context() as patch:
        patch.setattr(Stream, "put_surely", put_once)
        patch.setattr(Moving, "sealed", seal_later)
        with pytest.raises(ClusterError, match=r"Nobody answers any more\."):
            cluster.node(2)
    level(one, cluster.node(2))


def test_a_node_that_has_begun_has_taken_all_that_was_before(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though its own join came in one go with that."""
    one = cluster.node(1)
    for letter in "abc":
        one.add(letter)
    begun, joined = list[tuple[Node, object]](), list[bool]()
    follow, take = Node.follow, OrderedEngine.take

    def follow_seen(node: Node, system: System) -> None:
        begun.append((node, system.engine))
        follow(node, system)

    def take_seen(engine: OrderedEngine, messages: Sequence[Message]) -> None:
        node, its = begun[-1]
        if engine is its and any(message.node == node.id and not message.counter for message in messages):
            joined.append(node._joined.is_set())
        take(engine, messages)

    monkeypatch.setattr(Node, "follow", follow_seen)
    monkeypatch.setattr(OrderedEngine, "take", take_seen)
    two = cluster.node(2)
    assert (joined, two.text) == ([False], "abc")


def test_streams_that_a_node_needs_again_stay_though_it_was_agreed_that_they_go(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was away when somebody was asked, and has come before the answer."""
    one, two = cluster.node(1), cluster.node(2)
    cluster.leave(two)
    one.add("a")
    move_on(one)
    wait_until(lambda: counts(one).generation == 2)
    control(one).share_snapshot()
    control(one).share_snapshot()
    takes, go_on, sealed = threading.Event(), threading.Event(), Moving.sealed
    opened = list[Any]()

    def seal_later(moving: Moving, found: Seal, sequence: int) -> bool:
        takes.set()
        return go_on.wait(60) and sealed(moving, found, sequence)

    monkeypatch.setattr(Moving, "sealed", seal_later)
    opener = threading.Thread(target=lambda: opened.append(cluster.node(2)))

    def agree(_: str) -> None:
        opener.start()
        takes.wait(60)

    try:
        with pytest.raises(ClusterError, match=rf"Nothing was deleted: 1 node still takes from coopy-{cluster.name}@1\."):
            peers_of(one)._generations.prune(agree)
    finally:
        go_on.set()
        opener.join()
    assert streams(one) == [1, 2]
    level(one, *opened)


def test_a_new_node_begins_while_streams_are_deleted(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """One goes while the node looks at it: it begins with what is there."""
    one = cluster.node(1)
    one.add("a")
    move_on(one)
    wait_until(lambda: counts(one).generation == 2)
    control(one).share_snapshot()
    control(one).share_snapshot()
    look = Beginnings.genesis

    async def look_and_lose(beginnings: Beginnings) -> Genesis | None:
        found = await look(beginnings)
        if beginnings.stream.generation == 1:
            await beginnings.stream.delete()
        return found

    monkeypatch.setattr(Beginnings, "genesis", look_and_lose)
    two: Any = cluster.node(2)
    assert (streams(one), two.add("b"), peers_of(two).stream.generation) == ([2], "ab", 2)
    level(one, two)
