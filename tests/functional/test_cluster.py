"""A system on several nodes, on real servers: every node reads and writes, and all come to the same state."""

from __future__ import annotations

import asyncio
import math
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import nats.errors
import pytest

import coopy.aio
from coopy import control, init_system, linearizable, once
from coopy.aio.opening import beside
from coopy.cluster import link, store
from coopy.engine.ordered import OrderedEngine
from coopy.error import ClosedError, ClusterError, LockedError, NotSerializableError, UnconfirmedError, UsageError
from coopy.wiring.systems import system_of
from tests.servers import Cluster, cluster, level, servers, surely
from tests.words import Word

if TYPE_CHECKING:
    from pathlib import Path

    from coopy.cluster.local import LocalServers

__all__ = ["cluster", "servers"]
LONG = 20.0
ROUNDS = 20


def test_one_node_is_used_as_any_system_is(cluster: Cluster) -> None:
    """What an action returns, raises and stamps is what it would be without a cluster; a restart finds it all."""
    word = cluster.node(1, Word("s"))
    assert word.add("a") == "sa"
    with pytest.raises(ValueError, match=r"^x$"):
        word.add_and_raise("x")
    assert word.add_or_abort("c", fail=False) == "saxc"
    with pytest.raises(ValueError, match=r"^d$"):
        word.add_or_abort("d", fail=True)
    assert word.add_unlocked("e") == "saxce"
    assert len(word) == 5
    stamps, digest, lsn = word.stamp(), control(word).digest(), control(word).lsn
    control(word).close()
    with pytest.raises(ClosedError):
        word.add("z")
    again = cluster.node(1)
    assert (again.text, again.kept[-1], control(again).digest(), control(again).lsn) == ("saxce", stamps, digest, lsn)
    assert again.add("f") == "saxcef"


def test_nodes_that_begin_at_once_do_not_wait_for_each_other(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """The place for snapshots, which one has made, has no leader yet when the others ask: such a question is not answered, and not put."""
    monkeypatch.setattr(store, "ANSWER", 10 * LONG)
    with ThreadPoolExecutor() as beside:
        nodes = [*beside.map(cluster.node, (1, 2, 3), timeout=5 * LONG)]
    for one, text in zip(nodes, ("a", "aa", "aaa"), strict=True):
        with linearizable(one):
            assert one.add("a") == text


def test_what_one_node_does_all_nodes_show(cluster: Cluster) -> None:
    """Also a node that joins later, and one that was away; times and random numbers are the same on all of them."""
    one = cluster.node(1, Word("s"))
    one.add("a")
    one.stamp()
    two = cluster.node(2, Word("ignored"))
    assert (two.text, two.kept) == ("sa", one.kept)
    two.add("b")
    two.stamp()
    control(one).close()
    assert two.add("c") == "sabc"
    back = cluster.node(1)
    assert back.text == "sabc"
    back.keep([1, 2])
    level(back, two)
    assert two.kept == back.kept
    assert [*control(two).changes()] == [*control(back).changes()]


def test_each_of_many_callers_on_all_nodes_gets_its_own_result(cluster: Cluster) -> None:
    """Threads call all nodes at once: what each was told is what its place in the order gives."""
    nodes = [cluster.node(number) for number in (1, 2, 3)]
    told: list[tuple[Any, int]] = []

    def call(node: Any, mark: int) -> None:
        told.extend(((mark, number), node.keep((mark, number))) for number in range(20))

    threads = [threading.Thread(target=call, args=(node, 10 * which + each)) for which, node in enumerate(nodes) for each in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    level(*nodes)
    kept = nodes[0].kept
    assert len(kept) == len(told) == 240
    assert all(kept[place - 1] == what for what, place in told)


def test_a_barrier_and_a_token_show_what_another_node_did(cluster: Cluster) -> None:
    """At once without, a query may be answered before."""
    one, two = cluster.node(1), cluster.node(2)
    for letter in "abcdef":
        text = one.add(letter)
        assert control(two).wait_for(control(one).token) >= control(one).lsn
        assert two.text == text
    for letter in "ghijkl":
        text = two.add(letter)
        control(one).barrier()
        assert one.read() == text
    for letter in "mnopqr":
        text = one.add(letter)
        with linearizable(two):
            assert two.read() == text
            assert len(two) == len(text)
    assert control(one).role == "node"
    with pytest.raises(UsageError, match="no token of this cluster"):
        control(one).wait_for("1.2.3")
    token = control(one).token
    ahead = token.rpartition(".")[0] + ".999"
    with pytest.raises(UnconfirmedError, match="not yet LSN 999"):
        control(two).wait_for(ahead, timeout=0.01)


def test_a_query_sees_what_is_here_unless_it_is_to_wait(cluster: Cluster) -> None:
    """A node that is kept from taking answers with what it has; in the block its queries wait until it has taken."""
    one, two = cluster.node(1), cluster.node(2)
    one.add("a")
    control(two).barrier()
    engine, kept, go_on = system_of(two).engine, threading.Event(), threading.Event()
    assert isinstance(engine, OrderedEngine)

    def keep() -> None:
        with engine.lead:
            kept.set()
            go_on.wait(60)

    keeper = threading.Thread(target=keep)
    keeper.start()
    kept.wait(60)
    one.add("b")
    assert two.text == "a"
    threading.Timer(0.2, go_on.set).start()
    with linearizable(two):
        assert two.text == "ab"
    keeper.join()


def test_actions_in_the_block_of_queries_that_wait_are_as_they_are_anywhere(cluster: Cluster, tmp_path: Path) -> None:
    """On a node, a system of its own, and with a key around the block or within."""
    for word in (cluster.node(1), init_system(Word, tmp_path / "alone", validation="off")):
        with linearizable(word):
            assert word.add("a") == "a"
            assert word.add_unlocked("b") == "ab"
            with pytest.raises(ValueError, match=r"^c$"):
                word.add_and_raise("c")
            assert word.text == "abc"
        with once("k"), linearizable(word):
            assert word.add("d") == "abcd"
        with linearizable(word), once("k"):
            assert word.add("d") == "abcd"
        control(word).close()


def test_keys_work_across_nodes(cluster: Cluster) -> None:
    """An action with a key happens once, whichever node it is asked of."""
    one, two = cluster.node(1), cluster.node(2)
    with once("k"):
        assert one.add("a") == "a"
    with linearizable(two), once("k"):
        assert two.add("a") == "a"
    two.add("b")
    control(one).barrier()
    with once("k"):
        assert one.add("a") == "a"
    assert one.text == "ab"


def test_tasks_call_a_node(cluster: Cluster) -> None:
    """Many at once, on one thread."""

    async def run() -> None:
        options: dict[str, Any] = {"cluster": cluster.servers.urls, "name": cluster.name, "validation": "off"}
        async with (
            coopy.aio.open(Word, cluster.folder / "task1", **options) as one,
            coopy.aio.open(Word, cluster.folder / "task2", **options) as two,
        ):
            places = await asyncio.gather(*(one.keep(number) for number in range(100)), *(two.keep(100 + number) for number in range(100)))
            assert sorted(places) == [*range(1, 201)]
            with coopy.aio.linearizable(two):
                assert await coopy.aio.read(two, lambda it: len(it.kept)) == 200
            assert await coopy.aio.control(one).barrier() == 200

    asyncio.run(run())


def test_what_tasks_call_at_once_is_one_message(cluster: Cluster) -> None:
    """Those that one message woke call again together, and none of them goes ahead alone."""
    one = cluster.node(1)
    it, published = beside(one), counted(one)

    async def call() -> None:
        for _ in range(ROUNDS):
            await it.keep("s")

    async def run() -> None:
        await asyncio.gather(*(call() for _ in range(20)))

    asyncio.run(run())
    assert len(one.kept) == 20 * ROUNDS
    assert counted(one) - published < 1.5 * ROUNDS


def counted(node: Word) -> int:
    """How many messages it has sent."""
    stats: Any = control(node).stats().replication
    found: int = stats.published
    return found


def test_what_a_task_called_goes_while_its_loop_is_busy(cluster: Cluster) -> None:
    """It waits a moment for others of its loop, and not for ever; a thread that calls meanwhile takes it along."""
    one = cluster.node(1)
    node: Any = system_of(one).peers

    async def run() -> None:
        first = asyncio.create_task(beside(one).add("a"))
        await asyncio.sleep(0)  # it has called, and its loop has not come round
        node.wait_for(1, LONG)
        second = asyncio.create_task(beside(one).add("b"))
        await asyncio.sleep(0)
        assert one.add("c") == "abc"
        assert (await first, await second) == ("a", "ab")

    asyncio.run(run())


def test_a_snapshot_and_pruning_keep_a_nodes_place(cluster: Cluster) -> None:
    """A restart begins with the snapshot, and goes on in the stream where the journal ends."""
    one, two = cluster.node(1), cluster.node(2)
    for letter in "abc":
        one.add(letter)
    control(one).take_snapshot()
    control(one).prune()
    two.add("d")
    control(one).barrier()
    control(one).take_snapshot(background=True)
    control(one).wait_snapshot()
    control(one).close()
    two.add("e")
    one = cluster.node(1)
    assert one.add("f") == "abcdef"
    assert control(one).restored.base == 4
    level(one, two)


def test_a_new_node_begins_with_the_newest_snapshot_that_was_shared(cluster: Cluster) -> None:
    """And takes only what came behind it; of those that were shared before, the newest stays."""
    one = cluster.node(1)
    for number, letter in enumerate("abcd"):
        one.add(letter)
        assert control(one).share_snapshot() == number + 1
    assert control(one).share_snapshot() == 4
    one.add("e")
    two = cluster.node(2)
    assert (two.text, control(two).lsn, control(two).restored.base) == ("abcde", 5, 4)
    assert [action.lsn for action in control(two).changes(since=4)] == [5]
    level(one, two)
    two.add("f")
    assert control(two).share_snapshot() == 6
    control(one).close()
    three = cluster.node(3)
    assert (control(three).restored.base, three.add("g")) == (6, "abcdefg")
    assert len(kept(two)) == 3, "the first one, and the two newest"


def kept(node: Any) -> set[str]:
    """The snapshots in the object store."""
    peers: Any = system_of(node).peers

    async def names() -> set[str]:
        try:
            bucket = await peers.link.client.jetstream().object_store(peers.stream.bucket)
            return {one.name for one in await bucket.list() if not one.deleted}
        except (nats.errors.Error, TimeoutError) as error:
            raise link.LostError(str(error)) from error

    return surely(node, names)


def test_memory_that_was_in_doubt_is_made_anew_in_the_middle_of_a_message(cluster: Cluster) -> None:
    """Some of the calls of one message are undone; the others, before and behind, are as ever, on all nodes."""
    one, two = cluster.node(1), cluster.node(2)

    async def run() -> list[Any]:
        it = beside(one)
        calls = [it.add_or_abort(chr(97 + number), fail=number % 5 == 4) for number in range(20)]
        return await asyncio.gather(*calls, return_exceptions=True)

    found = asyncio.run(run())
    assert [type(result) for result in found[4::5]] == [ValueError] * 4
    level(one, two)
    assert one.text == "abcdfghiklmnpqrs"
    assert control(two).stats().rebuilds.count == 4
    one.add("t")
    control(two).barrier()
    control(two).take_snapshot()
    control(two).close()
    level(one, cluster.node(2))


def test_what_cannot_be_is_told_before_anything_is_changed(cluster: Cluster, servers: LocalServers, tmp_path: Path) -> None:
    """Options, addresses, directories, classes."""
    one = cluster.node(1)
    for wrong in ({"master": True}, {"durability": "buffered"}, {"min_acks": 1}):
        with pytest.raises(UsageError, match=r"means nothing with cluster="):
            cluster.node(2, **wrong)
    for address in ("", "http://x", "nats://:1", "nats://secretpassword@host:70000", "nats://u:secretpassword@h/path", "nats://h?x=y"):
        with pytest.raises(UsageError, match="cluster=") as caught:
            cluster.node(2, cluster=address)
        assert "secretpassword" not in str(caught.value)
    with pytest.raises(UsageError, match="name='a b'"):
        cluster.node(2, name="a b")
    with pytest.raises(UsageError, match="name= means nothing without cluster="):
        init_system(Word, tmp_path / "x", name="x")
    careless = ssl.create_default_context()
    careless.check_hostname = False
    for tls, said in (("/etc/ca.pem", "it is an ssl.SSLContext"), (careless, "does not verify the servers")):
        with pytest.raises(UsageError, match=f"tls=.*{said}"):
            cluster.node(2, tls=tls)
    assert not (cluster.folder / "node2").exists()
    with pytest.raises(NotSerializableError, match="a message of the cluster holds at most"):
        one.add("x" * 2_000_000)
    with pytest.raises(LockedError):
        cluster.node(1)
    with pytest.raises(ClusterError, match=r"signed with another key.*Give the signing_key= that its other nodes have"):
        cluster.node(2, signing_key=b"another")
    with pytest.raises(UsageError, match=r"not a tests.functional.test_cluster:Other"):
        cluster.node(2, Other)
    control(one).close()
    with pytest.raises(UsageError, match="is a node's directory"):
        init_system(Word, cluster.folder / "node1", validation="off")
    with pytest.raises(UsageError, match="is a node's directory"):
        cluster.node(1, name=cluster.name + "x")
    alone = init_system(Word, cluster.folder / "node3", validation="off")
    control(alone).close()
    with pytest.raises(UsageError, match="holds a system of its own"):
        cluster.node(3)


class Other:
    def add(self, letter: str) -> None:
        pass


def test_a_cluster_that_does_not_answer_or_lets_nobody_in_is_named_without_its_password(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The directory is left as it was."""
    server = cluster.servers.servers[0]
    with monkeypatch.context() as soon:
        soon.setattr(link, "CONNECT", 0.5)
        with pytest.raises(ClusterError, match=r"No server of the cluster at 127.0.0.1:1 answers"):
            cluster.node(1, cluster="nats://user:secretpassword@127.0.0.1:1")
    monkeypatch.setattr(link, "CONNECT", math.inf)  # what a server says is told at once, whenever it says it
    with pytest.raises(coopy.error.AuthenticationError) as caught:
        cluster.node(1, cluster=f"nats://user:secretpassword@127.0.0.1:{server.port}")
    assert "secretpassword" not in str(caught.value)
    with pytest.raises(ClusterError, match="monitor=8222") as unproven:
        cluster.node(1, cluster=cluster.servers.urls.replace(f"monitor={server.monitor}", "monitor=1"))
    assert cluster.servers._password not in str(unproven.value)
    assert not [*cluster.folder.glob("node1/*.log")]
