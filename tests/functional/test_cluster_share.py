"""Nodes send snapshots to the cluster by themselves, one at a time, and a new node begins with the newest."""

from __future__ import annotations

import asyncio
import gc
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from coopy import control
from coopy.cluster import sharing, stream
from coopy.cluster.link import LostError
from coopy.cluster.message import Announced, Claim, seal, unseal
from coopy.cluster.stream import Stream
from coopy.error import ClusterError
from coopy.wiring.systems import system_of
from tests.functional.test_cluster import kept
from tests.functional.test_cluster_bad_days import wait_until
from tests.functional.test_cluster_stream import key_of, messages_of, put
from tests.lone import peers_of
from tests.servers import Cluster, cluster, level, servers, surely

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["cluster", "servers"]
SMALL = 20_000


def said(node: Any) -> list[Any]:
    """The claims and announcements in the stream, in their order."""
    key = key_of(node)
    found = [unseal(data, key) for data in messages_of(node)[1:]]
    return [message for message in found if isinstance(message, Announced | Claim)]


def call_until(nodes: list[Any], told: Callable[[], bool]) -> None:
    """Have the stream grow until it is so."""

    def call() -> bool:
        for one in nodes:
            one.keep("x" * 1000)
        return told()

    wait_until(call)


def announced(node: Any) -> list[Announced]:
    """The snapshots that messages name."""
    return [one for one in said(node) if isinstance(one, Announced)]


def test_one_node_sends_a_snapshot_when_the_stream_has_grown(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says that it does, so the others need not; each is as much of the stream behind the one before as it is large. The two newest stay."""
    monkeypatch.setattr(sharing, "GROWN", SMALL)
    one, two = cluster.node(1), cluster.node(2)
    call_until([one, two], lambda: len(announced(one)) >= 3)
    claims = [(message.behind, message.turn) for message in said(one) if isinstance(message, Claim)]
    assert len(set(claims)) == len(claims), "one node for each"
    found = announced(one)
    assert {message.previous for message in found} <= {behind for behind, _ in claims}
    assert [after.stream - before.stream >= max(SMALL, before.size) for before, after in pairwise(found)] == [True] * (len(found) - 1)
    assert [after.previous for after in found] == ["", *(before.snapshot for before in found[:-1])]
    monkeypatch.setattr(sharing, "GROWN", 1 << 40)
    level(one, two)
    wait_until(lambda: kept(one) == {first(one), *(message.snapshot for message in announced(one)[-2:])})
    last = announced(one)[-1]
    three = cluster.node(3)
    assert control(three).restored.base in {
        message.lsn for message in announced(one) if message.lsn >= last.lsn
    }  # one may have been on its way
    level(one, two, three)


def first(node: Any) -> str:
    """The one that the stream begins with."""
    genesis = surely(node, peers_of(node).running.moving.here.genesis)
    name: str = genesis.snapshot
    return name


def test_a_claim_that_came_to_nothing_is_followed_by_another_when_the_stream_has_grown_on(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node that was killed in the middle keeps the others from it for a while only."""
    one, two = cluster.node(1), cluster.node(2)
    dead = Claim(b"d" * 16, "", 1)
    put(one, seal(dead, key_of(one)), "claim")
    monkeypatch.setattr(sharing, "GROWN", SMALL)
    call_until([one, two], lambda: bool(announced(two)))
    found = said(two)
    shared = found.index(announced(two)[0])
    assert found[0] == dead
    assert [message.turn >= 2 for message in found[1:shared]] == [True] * (shared - 1), "there is one, or more where sending took long"
    assert shared > 1
    assert found[shared].stream >= 2 * SMALL


def test_a_snapshot_that_cannot_be_read_again_is_not_announced(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another node is to begin with was read as it will be."""
    one = cluster.node(1)
    one.add("a")
    peers: Any = system_of(one).peers
    put = peers.running.moving.here.store.put

    async def damage(disk: Any, path: str) -> Any:
        stored = await put(disk, path)
        bucket = await peers.link.client.jetstream().object_store(peers.stream.bucket)
        await bucket.put(stored.name, b"x" * stored.size)
        return stored

    monkeypatch.setattr(peers.running.moving.here.store, "put", damage)
    with pytest.raises(ClusterError, match="is not what the stream says that it is"):
        control(one).share_snapshot()
    monkeypatch.undo()
    assert announced(one) == []
    assert control(one).share_snapshot() == 1


def test_of_two_nodes_that_send_one_at_once_one_is_named(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one's is dropped: none is left over in the store."""
    one, two = cluster.node(1), cluster.node(2)
    one.add("a")
    control(two).barrier()
    behind = stream.Stream.put_behind

    async def late(self: stream.Stream, what: str, data: bytes, sequence: int, tag: str) -> bool:
        monkeypatch.setattr(stream.Stream, "put_behind", behind)
        await asyncio.to_thread(system_of(two).peers.share, 1)  # type: ignore[union-attr]
        return await behind(self, what, data, sequence, tag)

    control(two).take_snapshot()
    monkeypatch.setattr(stream.Stream, "put_behind", late)
    assert control(one).share_snapshot() == 1
    assert len(announced(one)) == 1
    assert kept(one) == {first(one), announced(one)[0].snapshot}


def test_a_snapshot_is_sent_though_an_answer_is_lost(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the connection is cut: what the last one was is asked again."""
    node = cluster.node(1)
    node.add("a")
    last, lost = Stream.last, list[str]()

    async def lose_one(stream: Stream, what: str) -> tuple[int, bytes] | None:
        if what == "snapshot" and not lost:
            lost.append(what)
            raise LostError("The answer was lost.")
        return await last(stream, what)

    monkeypatch.setattr(Stream, "last", lose_one)
    control(node).share_snapshot()
    assert (lost, len(announced(node))) == (["snapshot"], 1)


def test_what_ends_otherwise_than_it_was_told_when_the_connection_is_lost_is_not_complained_of(
    cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    """As the client's object store does: it cleans up, and that fails, too."""
    link = peers_of(cluster.node(1)).link

    async def clean_up() -> None:
        link.soon(lambda: link.leave("a test"))
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ConnectionError("It cannot be cleaned up.") from None

    with pytest.raises(LostError, match="before the connection was lost"):
        link.run(link.unless_denied(clean_up, {}))
    gc.collect()
    assert "never retrieved" not in caplog.text
