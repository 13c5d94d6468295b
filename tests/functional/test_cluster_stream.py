"""What is done to the stream behind the nodes' backs, and servers and streams that are not as they must be: named, and nothing is taken from them."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest

from coopy import control
from coopy.cluster import consumer
from coopy.cluster.local import LocalServers
from coopy.cluster.message import Calls, Join, keyed, seal
from coopy.error import ClusterError, UnconfirmedError
from coopy.wiring.systems import system_of
from tests.functional.test_cluster_bad_days import impatient, wait_until
from tests.lone import until_stopped
from tests.servers import Cluster, ask, cluster, level, numbers, servers, surely

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["cluster", "servers"]


def stream_of(node: Any) -> Any:
    """The stream of a node."""
    return system_of(node).peers.stream  # type: ignore[union-attr]


def put(node: Any, data: bytes, what: str = "calls", generation: int = 0) -> None:
    """A message that no node has sent, in this stream or another one."""
    stream, tag = stream_of(node), f"test-{next(numbers)}"
    stream = stream.of(generation or stream.generation)
    surely(node, lambda: stream.put(what, data, {"Nats-Msg-Id": tag}))


def messages_of(node: Any) -> list[bytes]:
    """All that stand in the stream."""
    stream = stream_of(node)
    last = surely(node, stream.look).last
    return [surely(node, lambda sequence=sequence: stream.get(sequence)) for sequence in range(1, last + 1)]  # type: ignore[misc]


def key_of(node: Any) -> bytes:
    """What authenticates its messages."""
    archive = system_of(node).archive
    return keyed(archive.identity.secret, archive.key)


def stopped(node: Any) -> str:
    """Why a node stopped itself; its queries go on."""
    wait_until(lambda: control(node).stats().state != "open")
    assert node.text == "a"
    with pytest.raises(ClusterError) as caught:
        node.add("x")
    return str(caught.value)


def test_a_message_that_somebody_else_put_there_stops_all_nodes_before_it(cluster: Cluster) -> None:
    """Each says which; what they have is whole, also when they are opened again."""
    one, two = cluster.node(1), cluster.node(2)
    one.add("a")
    control(two).barrier()
    put(one, b"somebody else's")
    for node in (one, two):
        assert "cannot be taken: it is no message of coopy's. Somebody else may have put it there" in stopped(node)
    control(one).close()
    with pytest.raises(ClusterError, match="no message of coopy's"):
        cluster.node(1)


@pytest.mark.parametrize("cut", [True, False])
def test_a_message_of_another_key_stops_a_node(cluster: Cluster, cut: bool) -> None:
    """Or one that is damaged."""
    node = cluster.node(1)
    node.add("a")
    data = seal(Calls(b"n" * 16, 1, 0, 1, 0, []), key_of(node) if cut else b"")
    put(node, data[:-1] if cut else data)
    assert "its check does not match" in stopped(node)


def test_a_message_of_a_writer_that_never_began_is_passed_over(cluster: Cluster) -> None:
    """It has the right key, and comes from an opening that the others have forgotten."""
    node, other = cluster.node(1), cluster.node(2)
    put(node, seal(Calls(b"n" * 16, 5, 4, 1, 0, [(2, b"\x92\xa3add\xa1x")]), key_of(node)))
    node.add("a")
    level(node, other)
    assert other.text == "a"


def test_a_node_whose_class_is_behind_stops_when_a_newer_one_joins(cluster: Cluster) -> None:
    """By the version that the class declares."""
    node = cluster.node(1)
    system_of(node).peers._versions["tests.words:Word"] = 1  # type: ignore[union-attr]
    node.add("a")
    put(node, seal(Join(b"n" * 16, "tests.words:Word", [("tests.words:Word", 2)], b""), key_of(node)))
    assert "A node that runs version 2 of tests.words:Word has joined" in stopped(node)


def test_a_node_of_another_source_is_warned_of_and_both_go_on(cluster: Cluster, caplog: pytest.LogCaptureFixture) -> None:
    """So nodes are upgraded one after the other."""
    node = cluster.node(1)
    put(node, seal(Join(b"n" * 16, "tests.words:Word", [], b"another source"), key_of(node)))
    assert node.add("a") == "a"
    assert "A node with another source of tests.words:Word has joined: see to it that both make the same of a call." in caplog.messages


def test_a_stream_that_is_full_refuses_and_goes_on_when_there_is_room(cluster: Cluster) -> None:
    """The call did not happen."""
    node = cluster.node(1)
    config = ask(node, f"STREAM.INFO.{stream_of(node).name}")["config"]
    used = ask(node, f"STREAM.INFO.{stream_of(node).name}")["state"]["bytes"]
    ask(node, f"STREAM.UPDATE.{stream_of(node).name}", {**config, "max_bytes": used + 100})
    with pytest.raises(ClusterError, match=r"refused the call: maximum bytes exceeded. It did not happen. Make room there"):
        node.keep("x" * 1000)
    ask(node, f"STREAM.UPDATE.{stream_of(node).name}", {**config, "max_bytes": -1})
    assert node.keep("y") == 1
    level(node, cluster.node(2))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"max_age": 3_600_000_000_000}, "max_age is 3600000000000"),
        ({"discard": "old"}, "discard is 'old'"),
        ({"num_replicas": 1}, "num_replicas is 1"),
    ],
)
def test_a_stream_that_would_lose_history_is_refused(cluster: Cluster, change: dict[str, Any], said: str) -> None:
    """Each setting is named."""
    node = cluster.node(1)
    config = ask(node, f"STREAM.INFO.{stream_of(node).name}")["config"]
    ask(node, f"STREAM.UPDATE.{stream_of(node).name}", {**config, **change})
    control(node).close()
    with pytest.raises(ClusterError, match=said):
        cluster.node(1)


def test_a_stream_that_was_deleted_is_not_made_again(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that runs stops; one that is opened is refused."""
    monkeypatch.setattr(consumer, "SILENT", 1.2)  # a sign of life comes each second
    one, two = cluster.node(1), cluster.node(2)
    one.add("a")
    control(two).close()
    name = stream_of(one).name
    ask(one, f"STREAM.DELETE.{name}")
    assert f"The stream {name} is gone" in stopped(one)
    with pytest.raises(ClusterError, match=r"is not there .any more., and it is not made again"):
        cluster.node(2)


def test_a_stream_that_was_made_anew_is_not_taken_for_the_one_before(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a node that runs, and by one that is opened, be the new one empty or another system's."""
    monkeypatch.setattr(consumer, "SILENT", 1.2)  # a sign of life comes each second
    one, two = cluster.node(1), cluster.node(2)
    one.add("a")
    control(two).close()
    name = stream_of(one).name
    config = ask(one, f"STREAM.INFO.{name}")["config"]
    ask(one, f"STREAM.DELETE.{name}")
    ask(one, f"STREAM.CREATE.{name}", {key: value for key, value in config.items() if key != "metadata"})
    assert f"The stream {name} was made anew at" in stopped(one)
    with pytest.raises(ClusterError, match=r"ends with message 0 there, and message \d+ was taken here"):
        cluster.node(2)
    three = cluster.node(3)
    for letter in "abcdef":
        three.add(letter)
    with pytest.raises(ClusterError, match="is another system's than this directory is"):
        cluster.node(2)


def test_servers_that_do_not_sync_every_write_are_refused(tmp_path: Path) -> None:
    """Unless that was asked for; and one server where three are wanted."""
    own = LocalServers(tmp_path / "servers", 1)
    config = tmp_path / "servers" / "server1.conf"
    config.write_text(config.read_text().replace(", sync_interval: always", ""))
    with own:
        cluster = Cluster(own, tmp_path)
        with pytest.raises(ClusterError, match=r"does not sync every write.*sync_interval: always"):
            cluster.node(1)
        node = cluster.node(1, assume_durable=True)
        assert node.add("a") == "a"
        cluster.close()
    assert not [*(tmp_path / "servers").glob("*.tmp")]


def test_a_node_whose_servers_stand_still_goes_on_when_they_do(tmp_path: Path) -> None:
    """As a virtual machine that is frozen. What was sent meanwhile happens once."""
    with LocalServers(tmp_path / "servers") as own:
        cluster = Cluster(own, tmp_path)
        node = cluster.node(1)
        node.add("a")
        for one in own.servers:
            one.signal(signal.SIGSTOP)
            assert one._process is not None
            until_stopped(one._process.pid)
        impatient(node, 0.5)
        with pytest.raises((UnconfirmedError, ClusterError)) as told:
            node.add("b")
        for one in own.servers:
            one.signal(signal.SIGCONT)
        own.wait_ready()
        impatient(node, 60.0)
        control(node).barrier()
        assert node.add("c") == ("abc" if isinstance(told.value, UnconfirmedError) else "ac")
        cluster.close()
