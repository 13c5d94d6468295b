"""What becomes of calls when servers, connections and nodes are lost: each happens once or not at all, and its caller is told what is known."""

from __future__ import annotations

import itertools
import shutil
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from coopy import control
from coopy.cluster import consumer, durable, entering, publisher, store
from coopy.cluster.link import RefusedError
from coopy.cluster.local import LocalServer, LocalServers
from coopy.engine.stats import NodeStats
from coopy.error import ClusterError, UnconfirmedError
from coopy.wiring.systems import system_of
from tests.crash.net import Net
from tests.cut import Way
from tests.lone import peers_of
from tests.servers import Cluster, ask, cluster, level, servers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["cluster", "servers"]
LONG = 60.0
T = TypeVar("T")


@pytest.fixture
def ways(servers: LocalServers) -> Iterator[list[Way]]:
    """To each server."""
    with ExitStack() as stack:
        yield [stack.enter_context(Way(one.port)) for one in servers.servers]


def through(servers: LocalServers, ways: list[Way]) -> str:
    """The servers' addresses, by these ways."""
    return ",".join(servers.url(one, way.port) for one, way in zip(servers.servers, ways, strict=True))


def impatient(node: Any, patience: float = 1.0) -> None:
    """Have its callers told after so many seconds."""
    system_of(node).peers.running.publisher.patience = patience  # type: ignore[union-attr]


def told_once_sent(node: Any, call: Callable[[], object], patience: float = 1.0) -> Exception:
    """What its caller is told of a call that was sent, and of which nothing is heard for so many seconds; however long it took until it was."""
    impatient(node, LONG)
    sent = counts(node).published
    with ThreadPoolExecutor() as beside:
        caller = beside.submit(call)
        wait_until(lambda: counts(node).published > sent)
        impatient(node, patience)
        error = caller.exception()
    impatient(node, LONG)
    assert isinstance(error, Exception)
    return error


def counts(node: Any) -> NodeStats:
    """What it says of itself."""
    found = control(node).stats().replication
    assert isinstance(found, NodeStats)
    return found


def wait_until(told: Callable[[], T]) -> T:
    """Ask until it is so; gives what was told then."""
    deadline = time.monotonic() + LONG
    while not (found := told()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


def test_a_call_whose_acknowledgement_is_lost_happens_once(cluster: Cluster, servers: LocalServers, ways: list[Way]) -> None:
    """The connection is cut when the server has the message: it goes out again under its id, on another connection."""
    node = cluster.node(1, cluster=through(servers, ways))
    other = cluster.node(2)
    for number in range(5):
        for way in ways:
            way.cut_at = b"PUB coopy."
        assert node.keep(number) == number + 1
    assert sum(way.cuts for way in ways) >= 5
    assert counts(node).republished >= 1
    level(node, other)
    assert other.kept == [0, 1, 2, 3, 4]


def test_many_calls_under_way_when_connections_are_cut_all_happen_once(cluster: Cluster, servers: LocalServers, ways: list[Way]) -> None:
    """Whatever of them had been stored when it was cut."""
    node, other, told = cluster.node(1, cluster=through(servers, ways)), cluster.node(2), list[tuple[Any, int]]()
    over = threading.Event()
    impatient(node, LONG)

    def call(mark: int) -> None:
        for number in itertools.takewhile(lambda _: not over.is_set(), itertools.count()):
            told.append(((mark, number), node.keep((mark, number))))

    threads = [threading.Thread(target=call, args=(mark,)) for mark in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(4):
        cut = sum(way.cuts for way in ways)
        for way in ways:
            way.cut_at = b"PUB coopy."
        wait_until(lambda cut=cut: sum(way.cuts for way in ways) > cut)  # type: ignore[misc]
    over.set()
    for thread in threads:
        thread.join()
    level(node, other)
    assert len(other.kept) == len(told)
    assert all(other.kept[place - 1] == what for what, place in told)


def test_a_node_that_is_cut_off_says_what_is_known_and_goes_on_by_itself(cluster: Cluster, servers: LocalServers, ways: list[Way]) -> None:
    """What was never sent did not happen; what was sent may happen yet. Queries go on."""
    node, other = cluster.node(1, cluster=through(servers, ways)), cluster.node(2)
    node.keep("before")
    impatient(node)
    for way in ways:
        way.cut()
    wait_until(lambda: not counts(node).connected)
    with pytest.raises(ClusterError, match=r"was not sent.*did not happen"):
        node.keep("never")
    assert node.kept == ["before"]
    with pytest.raises((ClusterError, UnconfirmedError)):
        control(node).barrier()
    other.keep("meanwhile")
    for way in ways:
        way.mend()
    impatient(node, LONG)
    assert node.keep("after") == 3
    level(node, other)
    assert node.kept == ["before", "meanwhile", "after"]


def test_a_connection_that_swallows_everything_is_given_up(cluster: Cluster, servers: LocalServers, ways: list[Way]) -> None:
    """A network that says nothing is as bad as one that is cut. The call that was sent there happens once."""
    node, other = cluster.node(1, cluster=through(servers, ways)), cluster.node(2)
    node.keep("before")
    before = counts(node).reconnects
    for way in ways:
        way.mute = way.deaf = True
    told = told_once_sent(node, lambda: node.keep("unknown"))
    assert isinstance(told, UnconfirmedError)
    assert "It may happen yet, at most once" in str(told)
    for way in ways:
        way.cut()
        way.mend()
    control(node).barrier()
    assert node.kept == ["before", "unknown"]
    assert node.keep("after") == 3
    assert counts(node).reconnects > before
    level(node, other)
    assert node.kept == ["before", "unknown", "after"]


def test_without_a_quorum_nothing_is_acknowledged_and_with_one_again_all_goes_on(tmp_path: Path) -> None:
    """Two of three servers are killed: callers are told that it is not known. When they are back, each call has happened once, or not at all."""
    with LocalServers(tmp_path / "servers") as own:
        cluster = Cluster(own, tmp_path)
        node, other = cluster.node(1), cluster.node(2)
        node.keep("before")
        away = others_than_a_leader_of_all(own, node, cluster.name)
        for one in away:
            one.kill()
        impatient(node)
        with pytest.raises((UnconfirmedError, ClusterError)) as told:
            node.keep("unknown")
        for one in away:
            one.start()
        own.wait_ready()
        impatient(node, LONG)
        control(node).barrier()
        node.keep("after")
        level(node, other)
        happened = ["unknown"] if isinstance(told.value, UnconfirmedError) else []
        assert node.kept == ["before", *happened, "after"]
        cluster.close()


def test_the_streams_leader_is_killed_while_all_nodes_call(tmp_path: Path) -> None:
    """Nobody is told of an error, nothing that was acknowledged is lost, and nothing happens twice."""
    with LocalServers(tmp_path / "servers") as own:
        cluster = Cluster(own, tmp_path)
        nodes, told, over = [cluster.node(number) for number in (1, 2, 3)], list[tuple[Any, int]](), threading.Event()

        def call(node: Any, mark: int) -> None:
            for number in range(100_000):
                told.append(((mark, number), node.keep((mark, number))))
                if over.is_set():
                    return

        for node in nodes:
            impatient(node, LONG)  # an election takes as long as it takes
        threads = [threading.Thread(target=call, args=(node, 10 * which + each)) for which, node in enumerate(nodes) for each in range(3)]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(told) > 100)
        leader = wait_until(lambda: own.leader(cluster.name))
        assert leader
        leader.kill()
        so_far = len(told)
        wait_until(lambda: len(told) > so_far + 100)
        leader.start()
        own.wait_ready()
        over.set()
        for thread in threads:
            thread.join()
        level(*nodes)
        kept = nodes[0].kept
        assert len(kept) == len(told)
        assert all(kept[place - 1] == what for what, place in told)
        cluster.close()


def test_a_server_that_is_cut_off_from_the_others_is_left_for_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes on to say that it lives. What was sent there happens once; its caller hears of nothing."""
    monkeypatch.setattr(publisher, "ELSEWHERE", 1.0)
    own = LocalServers(tmp_path / "servers")
    with Net(own, 1) as net, own:
        cluster = Cluster(own, tmp_path)
        cluster.node(1).keep("a")
        cluster.close()
        lonely = follower(own, cluster.name)
        others = [way for one, way in zip(own.servers, net.nodes[0], strict=True) if one is not lonely]
        for way in others:
            way.cut()
        node = cluster.node(1, cluster=net.addresses(0))
        for way in others:
            way.mend()
        for way in net.routes_of(lonely.name):
            way.cut()
        impatient(node, LONG)
        assert node.keep("b") == 2
        assert counts(node).reconnects >= 1
        cluster.close()


def test_a_node_is_opened_while_a_server_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frozen, or just killed: what keeps the stream without it is asked whether it syncs, and that is enough."""
    monkeypatch.setattr(durable, "PATIENCE", 1.0)
    monkeypatch.setattr(durable, "GREETING", 0.3)
    monkeypatch.setattr(entering, "GONE", LONG)
    with LocalServers(tmp_path / "servers") as own:
        cluster = Cluster(own, tmp_path)
        cluster.node(1).keep("a")
        cluster.close()
        away = follower(own, cluster.name)
        away.signal(signal.SIGSTOP)
        assert cluster.node(1).keep("b") == 2
        cluster.close()
        away.signal(signal.SIGCONT)
        own.wait_ready()
        away.kill()
        assert cluster.node(1).keep("c") == 3
        cluster.close()


def test_a_server_that_lost_its_disk_takes_all_from_the_others(tmp_path: Path) -> None:
    """It counts again when it says that it is well: then another one may be lost, and nothing that was acknowledged is."""
    with LocalServers(tmp_path / "servers") as own:
        cluster = Cluster(own, tmp_path)
        one, two = cluster.node(1), cluster.node(2)
        for node in (one, two):
            impatient(node, LONG)
        one.keep("a")
        emptied = follower(own, cluster.name)
        emptied.kill()
        two.keep("b")
        shutil.rmtree(own.directory / emptied.name)
        emptied.start()
        own.wait_ready()
        leader = wait_until(lambda: own.leader(cluster.name))
        assert leader
        leader.kill()
        assert one.keep("c") == 3
        assert two.keep("d") == 4
        level(one, two)
        cluster.close()


def others_than_a_leader_of_all(servers: LocalServers, node: Any, name: str) -> list[LocalServer]:
    """Two servers, beside one that leads the servers and the stream, and goes on to do so if they are back soon: nobody has to be elected."""
    leads = leader_of_all(servers)
    with suppress(RefusedError):  # it does already
        ask(node, f"STREAM.LEADER.STEPDOWN.{peers_of(node).stream.name}", {"placement": {"preferred": leads}})
    wait_until(lambda: (leading := servers.leader(name)) is not None and leading.name == leads)
    return [one for one in servers.servers if one.name != leads]


def follower(servers: LocalServers, name: str) -> LocalServer:
    """One that leads neither the servers nor the stream: without it nobody has to be elected."""
    leading, leads = wait_until(lambda: servers.leader(name)), leader_of_all(servers)
    return next(one for one in servers.servers if one is not leading and one.name != leads)


def leader_of_all(servers: LocalServers) -> str:
    """The name of the one that leads the servers, as soon as one does."""

    def leads() -> str:
        about: Any = servers.servers[0].ask("jsz")
        return str(about["meta_cluster"].get("leader", ""))

    return wait_until(leads)


def test_a_node_that_is_far_away_from_the_servers_begins(
    cluster: Cluster, servers: LocalServers, ways: list[Way], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nobody may answer they are not waited for long, at first; here no answer comes as soon as that."""
    monkeypatch.setattr(store, "SOON", 0.03)
    monkeypatch.setattr(consumer, "SOON", 0.03)
    near = cluster.node(1)
    near.keep("a")
    for way in ways:
        way.delay = 0.03
    far = cluster.node(2, cluster=through(servers, ways))
    assert far.keep("b") == 2
    control(far).share_snapshot()
    level(near, far)


@pytest.mark.parametrize("asked", [b".STREAM.INFO.", b".STREAM.MSG.GET.", b'"last_by_subj":'])
def test_a_node_begins_though_the_connection_is_lost_at_whatever_it_asks(
    cluster: Cluster, servers: LocalServers, ways: list[Way], asked: bytes
) -> None:
    """It asks again, as through an election."""
    cluster.node(1).keep("a")
    for way in ways:
        way.cut_at = asked
    assert cluster.node(2, cluster=through(servers, ways)).keep("b") == 2
    assert sum(way.cuts for way in ways) >= 1


def test_a_call_that_the_stream_has_and_that_does_not_come_back_is_not_waited_for_for_ever(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the servers lose their majority just then. Its caller is told that it happens."""
    monkeypatch.setattr(consumer, "SILENT", LONG)
    node = cluster.node(1)
    node.keep("a")
    impatient(node, LONG)
    lose_consumer(node)
    with ThreadPoolExecutor() as beside:
        sent = counts(node).published
        caller = beside.submit(node.keep, "b")
        wait_until(lambda: counts(node).published > sent and not counts(node).under_way)
        impatient(node)
        with pytest.raises(UnconfirmedError, match=r"has the call, and for 1 seconds it was not executed here.*It happens, once"):
            caller.result()
    impatient(node, LONG)
    monkeypatch.setattr(consumer, "SILENT", 0.1)  # it was silent for a while already
    assert node.keep("c") == 3
    assert node.kept == ["a", "b", "c"]
    wait_until(lambda: (counts(node).connected, counts(node).problem) == (True, ""))  # servers may be slow to make one, or another


def test_a_consumer_that_brings_nothing_and_says_that_it_lives_is_left_for_another(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that lives on a server which does not catch up with the others; here it is paused."""
    monkeypatch.setattr(consumer, "LATE", 0.5)
    monkeypatch.setattr(consumer, "SILENT", LONG)
    node = cluster.node(1)
    node.keep("a")
    impatient(node, LONG)
    stream = peers_of(node).stream.name
    (name,) = ask(node, f"CONSUMER.NAMES.{stream}")["consumers"]
    ask(node, f"CONSUMER.PAUSE.{stream}.{name}", {"pause_until": "2099-01-01T00:00:00Z"})
    wait_until(lambda: bool(ask(node, f"CONSUMER.INFO.{stream}.{name}").get("paused")))
    wait_until(lambda: node.keep("b") > 1 and counts(node).consumers > 1)  # what is under way when it is paused may come yet


def lose_consumer(node: Any) -> None:
    """The servers forget who wanted what is in the stream."""
    stream = peers_of(node).stream.name
    for one in ask(node, f"CONSUMER.NAMES.{stream}")["consumers"]:
        ask(node, f"CONSUMER.DELETE.{stream}.{one}")
