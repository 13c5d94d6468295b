"""What nodes do beside their calls, while others do the same, or the connection is lost: snapshots are sent, and streams go, or it is said what to do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from coopy import control
from coopy.cluster import generations, store
from coopy.cluster.beginnings import Beginnings
from coopy.error import ClusterError
from tests.functional.test_cluster import kept
from tests.functional.test_cluster_bad_days import LONG, counts, through, ways
from tests.functional.test_cluster_generations import messages, move_on, streams
from tests.functional.test_cluster_moments import quiet
from tests.lone import peers_of
from tests.servers import Cluster, cluster, level, servers

if TYPE_CHECKING:
    from coopy.cluster.local import LocalServers
    from tests.cut import Way

__all__ = ["cluster", "servers", "ways"]


@pytest.mark.parametrize("asked", [b".STREAM.MSG.GET.", b".STREAM.CREATE.OBJ_", b"$O.", b".CONSUMER.CREATE.OBJ_", b".snapshot "])
def test_a_snapshot_is_shared_though_the_connection_is_lost_at_whatever_it_asks(
    cluster: Cluster, servers: LocalServers, ways: list[Way], asked: bytes
) -> None:
    """It is asked again."""
    word = cluster.node(1, cluster=through(servers, ways))
    word.add("a")
    for way in ways:
        way.cut_at = asked
    assert control(word).share_snapshot() == 1
    assert sum(way.cuts for way in ways) >= 1
    assert messages(word, "snapshot", 1) == 1
    level(word, cluster.node(2))


def test_a_snapshot_that_is_nobodys_any_more_is_dropped_though_the_connection_is_lost_just_then(
    cluster: Cluster, servers: LocalServers, ways: list[Way], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would stay for good."""
    word, drop = cluster.node(1, cluster=through(servers, ways)), store.Store.drop
    for letter in "ab":
        word.add(letter)
        control(word).share_snapshot()

    async def lose_there(self: store.Store, name: str) -> None:
        for way in ways:
            way.cut_at = b".STREAM.MSG.GET.OBJ_"
        await drop(self, name)

    monkeypatch.setattr(store.Store, "drop", lose_there)
    word.add("c")
    control(word).share_snapshot()
    assert sum(way.cuts for way in ways) >= 1
    assert len(kept(word)) == 3, "the first one, and the two newest"


@pytest.mark.parametrize("asked", [b".STREAM.NAMES", b".STREAM.CREATE.", b".CONSUMER.LIST.", b".STREAM.DELETE.", b".seal "])
def test_a_cluster_is_pruned_though_the_connection_is_lost_at_whatever_it_asks(
    cluster: Cluster, servers: LocalServers, ways: list[Way], asked: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked again."""
    monkeypatch.setattr(generations, "SETTLED", 0.0)
    word = cluster.node(1, cluster=through(servers, ways))
    word.add("a")
    for way in ways:
        way.cut_at = asked
    assert control(word).prune_cluster(LONG) == [f"coopy-{cluster.name}@1"]
    assert sum(way.cuts for way in ways) >= 1
    assert streams(word) == [2]
    level(word, cluster.node(2))


def test_a_snapshot_that_is_pruned_before_it_is_sent_is_told_of(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Newer ones took its place in the node's directory. The next is sent."""
    word = cluster.node(1, keep_snapshots=1)
    peers = peers_of(word)
    share = peers.share

    def prune_first(lsn: int) -> None:
        word.add("b")
        control(word).take_snapshot()
        control(word).prune()
        share(lsn)

    word.add("a")
    monkeypatch.setattr(peers, "share", prune_first)
    with pytest.raises(ClusterError, match=r"snap was to be sent to the cluster, and is not there any more.*call it again"):
        control(word).share_snapshot()
    monkeypatch.undo()
    assert control(word).share_snapshot() == 2


def test_streams_go_though_newer_snapshots_are_sent_while_the_others_are_read_again(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those go as the newer ones come, and these are read."""
    monkeypatch.setattr(generations, "SETTLED", 0.0)
    one, two = cluster.node(1), cluster.node(2)
    verify, read = store.Store.verify, list[store.Stored]()

    def send_two() -> None:
        for letter in "bc":
            two.add(letter)
            control(two).share_snapshot()

    async def first_send(self: store.Store, stored: store.Stored) -> None:
        if self._stream.link is peers_of(one).link and former(one):
            read.append(stored)
            if len(read) == 1:
                await asyncio.to_thread(send_two)
        await verify(self, stored)

    with quiet(one), quiet(two):
        one.add("a")
        move_on(one)
        level(one, two)
        for _ in range(2):
            control(two).share_snapshot()
            two.add("x")
        monkeypatch.setattr(store.Store, "verify", first_send)
        assert control(one).prune_cluster() == [f"coopy-{cluster.name}@1"]
    assert len(read) == 3
    level(one, two, cluster.node(3))


def former(node: Any) -> bool:
    """Whether it takes from another stream than the first."""
    return counts(node).generation > 1


@pytest.mark.parametrize("asked", ["is_sealed", "age_of_seal"])
def test_streams_that_another_one_deletes_at_the_same_moment_are_gone(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    """Who was about to delete them finds it done."""
    monkeypatch.setattr(generations, "SETTLED", 0.0)
    one, two = cluster.node(1), cluster.node(2)
    one.add("a")
    with quiet(one), quiet(two):
        move_on(one)
        level(one, two)
        if asked == "age_of_seal":
            for _ in range(2):
                one.add("b")
                control(one).share_snapshot()
        real, deleted = getattr(Beginnings, asked), list[str]()

        async def first_delete(self: Beginnings) -> Any:
            if not deleted:
                deleted.append(self.stream.name)
                await self.stream.delete()
            return await real(self)

        monkeypatch.setattr(Beginnings, asked, first_delete)
        gone = control(one).prune_cluster()
    assert deleted == [f"coopy-{cluster.name}@1"]
    assert gone in ([], deleted)
    level(one, two, cluster.node(3))
