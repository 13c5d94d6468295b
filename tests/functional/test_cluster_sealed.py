"""A stream is sealed, and what is to follow is not what it must be: it is named, with the seal's sequence, nothing of it is taken, and what a node has is whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from coopy import control
from coopy.cluster import moving, stream
from coopy.cluster.message import Genesis, Seal, keyed, seal
from coopy.error import ClusterError
from coopy.wiring.systems import system_of
from tests.functional.test_cluster_generations import move_on, prune, settled, streams
from tests.functional.test_cluster_hostile import begin_again
from tests.functional.test_cluster_stream import key_of, put, stopped, stream_of
from tests.lone import Lone, peers_of
from tests.servers import Cluster, ask, cluster, servers, surely, with_one_away

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["cluster", "servers", "settled"]


def follow(node: Any, *first: bytes) -> str:
    """Somebody makes the next stream, with these messages in it. Gives when it was made."""
    made: str = surely(node, stream_of(node).of(2).create).created
    for data in first:
        put(node, data, "genesis", 2)
    return made


def genesis_of(node: Any, **change: Any) -> bytes:
    """What the next stream begins with, but for this."""
    identity, before = system_of(node).archive.identity, surely(node, stream_of(node).look).created
    values = {"system": identity.system, "secret": identity.secret, "domain": identity.domain, "generation": 2, "before": before, **change}
    return seal(Genesis(**{"snapshot": "", "digest": b"", "size": 0, **values}), keyed(b"", b""))


def put_seal(node: Any, created: str, generation: int = 2, key: bytes | None = None) -> int:
    """Somebody seals the stream. Gives the seal's sequence."""
    put(node, seal(Seal(generation, created), key_of(node) if key is None else key), "seal")
    sequence: int = surely(node, lambda: stream_of(node).last("seal"))[0]
    return sequence


def refused(cluster: Cluster, node: Any, sequence: int, said: str) -> None:
    """It stopped before the seal, also when it is opened again; so does a new node."""
    name = stream_of(node).name
    found = stopped(node)
    assert f"Message {sequence} of the stream {name}" in found
    assert said in found
    assert "is intact" in found
    control(node).close()
    for number in (1, 2):
        with pytest.raises(ClusterError) as caught:
            cluster.node(number)
        assert said in str(caught.value)


def test_a_next_stream_that_is_gone(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not made again."""
    monkeypatch.setattr(moving, "HEARD_OF", 0.1)
    node = cluster.node(1)
    node.add("a")
    made = follow(node, genesis_of(node))
    ask(node, f"STREAM.DELETE.coopy-{cluster.name}@2")
    refused(cluster, node, put_seal(node, made), f"coopy-{cluster.name}@2, which is to follow, cannot be taken: It is not there (any more)")


def test_a_next_stream_that_was_made_anew(cluster: Cluster) -> None:
    """Though it begins as it must."""
    node = cluster.node(1)
    node.add("a")
    made = follow(node, genesis_of(node))
    ask(node, f"STREAM.DELETE.coopy-{cluster.name}@2")
    follow(node, genesis_of(node))
    refused(cluster, node, put_seal(node, made), "it is not the one of")


def test_a_next_stream_of_which_messages_were_deleted(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """From an administrator's hand."""
    for name in ("deny_delete", "deny_purge"):
        monkeypatch.setitem(stream.SETTINGS, name, False)
    node = cluster.node(1)
    node.add("a")
    made = follow(node, genesis_of(node), genesis_of(node))
    ask(node, f"STREAM.PURGE.coopy-{cluster.name}@2", {"keep": 1})
    sequence = put_seal(node, made)
    assert f"Message {sequence} of the stream {stream_of(node).name} seals it" in stopped(node)
    with pytest.raises(ClusterError, match="Messages of it were deleted: it begins with message 2"):
        node.add("b")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"system": b"o" * 16}, "is another system's"),
        ({"before": "yesterday"}, "but on one that was made at yesterday"),
        ({"generation": 3}, "does not begin as a shared journal of coopy's does"),
        (None, "it is no message of coopy's"),
    ],
)
def test_a_next_stream_that_begins_otherwise_than_it_must(cluster: Cluster, change: dict[str, Any] | None, said: str) -> None:
    """Somebody has made it. It is not sealed into by a node, and where it was by somebody nobody goes on there."""
    node = cluster.node(1)
    node.add("a")
    made = follow(node, genesis_of(node, **change) if change is not None else b"somebody else's")
    with pytest.raises(ClusterError, match=said):
        move_on(node)
    assert surely(node, lambda: stream_of(node).last("seal")) is None
    sequence = put_seal(node, made)
    assert f"Message {sequence} of the stream {stream_of(node).name} seals it" in stopped(node)
    with pytest.raises(ClusterError, match=said) as caught:
        node.add("b")
    assert vars(caught.value)["sequence"] == sequence
    assert node.text == "a"


def test_a_seal_of_another_key_or_that_names_another_than_the_next(cluster: Cluster) -> None:
    """A node stops before it."""
    one, two = cluster.node(1), cluster.node(2, name=f"{cluster.name}b")
    for node, generation, key, said in (
        (one, 2, b"", "cannot be taken: its check does not match"),
        (two, 3, None, "@3 as the next, which is not"),
    ):
        node.add("a")
        sequence = put_seal(node, follow(node, genesis_of(node)), generation, key)
        found = stopped(node)
        assert f"Message {sequence} of the stream {stream_of(node).name}" in found
        assert said in found


def test_a_stream_that_is_gone_before_two_snapshots_stood_behind_it_is_missed(cluster: Cluster) -> None:
    """By a node that needs it, and by a new one: an administrator has deleted it too early."""
    one = with_one_away(cluster)
    made = follow(one, genesis_of(one))
    ask(one, f"STREAM.DELETE.coopy-{cluster.name}@1")
    assert made
    begin_again(one)
    assert "is gone, and" in stopped(one)
    with pytest.raises(ClusterError, match=rf"@1 is gone, and coopy-{cluster.name}@2, which follows, has no snapshot .* coopy.restore"):
        cluster.node(2)
    with pytest.raises(ClusterError, match=rf"No snapshot that coopy-{cluster.name}@2 names can be had. Nothing was changed"):
        cluster.node(3)


def test_later_streams_that_are_another_systems(cluster: Cluster) -> None:
    """Somebody has made one under the cluster's name. A new node says so, and so does one whose own is gone."""
    one = with_one_away(cluster)
    follow(one, genesis_of(one, system=b"o" * 16))
    with pytest.raises(ClusterError, match=rf"coopy-{cluster.name}@2 and coopy-{cluster.name}@1 are of different systems"):
        cluster.node(3)
    two = cluster.node(2)
    assert two.add("b") == "ab"
    control(two).close()
    ask(one, f"STREAM.DELETE.coopy-{cluster.name}@1")
    with pytest.raises(
        ClusterError, match=rf"coopy-{cluster.name}@1 is gone, and coopy-{cluster.name}@2 is another system's.*is intact in its directory"
    ):
        cluster.node(2)


USERS = """
authorization {{ users: [
  {{ user: admin, password: "p" }},
  {{ user: wiki, password: "p", permissions: {{ publish: {{ allow: ">", deny: "$JS.API.STREAM.DELETE.*" }}, subscribe: "_INBOX.>" }} }}
] }}
"""


def test_servers_that_do_not_let_a_node_delete_streams(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It goes on; who asked for it by hand is told, and so is the log, once, where it was asked for by `auto_prune`; an administrator may."""
    with Lone(tmp_path, USERS.format()) as lone:
        node = lone.node("wiki:p@", auto_prune=True)
        node.add("a")
        with pytest.raises(
            ClusterError, match=r"let this user publish to \$JS\.API\.STREAM\.DELETE\.coopy-word@1.*`coopy cluster prune word --cluster"
        ) as caught:
            control(node).prune_cluster()
        assert "coopy-word@2 goes on, and nobody needs coopy-word@1" in str(caught.value)
        pruning = peers_of(node).running.pruning
        for _ in range(3):
            surely(node, pruning.look)
        assert len([one for one in caplog.records if "could not delete it" in one.message]) == 1
        assert (node.add("b"), streams(node), pruning.former) == ("ab", [1, 2], 1)
        assert prune("word", f"nats://admin:p@127.0.0.1:{lone.port}", "--yes").exit_code == 0
        assert (node.add("c"), streams(node)) == ("abc", [2])
