"""The stream of a cluster is followed by another, and goes as a whole: calls go on meanwhile, nothing is lost, and nothing happens twice."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self

import msgspec
import pytest

from coopy import control, linearizable
from coopy.aio.opening import beside
from coopy.cluster import generations, publisher, sharing, stream
from coopy.cluster.message import Calls, unseal
from coopy.engine.ordered import OrderedEngine
from coopy.error import ClusterError
from coopy.wiring.systems import system_of
from tests.functional.test_cluster import kept
from tests.functional.test_cluster_bad_days import LONG, counts, impatient, through, wait_until, ways
from tests.functional.test_cluster_stream import key_of
from tests.functional.test_replication_bad_days import run_coopy
from tests.lone import peers_of
from tests.servers import Cluster, ask, cluster, level, servers, surely, with_one_away

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nats.aio.msg import Msg

    from coopy.cluster.local import LocalServers
    from coopy.cluster.moving import Moving
    from tests.cut import Way

__all__ = ["cluster", "servers", "ways"]


def move_on(node: Any) -> None:
    """Have another stream follow on the one that it takes from."""
    peers = peers_of(node)
    peers.link.run(peers.running.moving.begin_next(system_of(node).archive.identity))


def streams(node: Any) -> list[int]:
    """The generations that are there."""
    found: list[int] = surely(node, peers_of(node).stream.generations)
    return found


def messages(node: Any, what: str, generation: int) -> int:
    """How many of one kind stand in a stream."""
    stream = peers_of(node).stream.of(generation)
    return len(surely(node, lambda: stream.all(what)))


@contextmanager
def kept_from_taking(node: Any) -> Iterator[None]:
    """It sends and hears, and takes nothing."""
    engine, kept, go_on = system_of(node).engine, threading.Event(), threading.Event()
    assert isinstance(engine, OrderedEngine)

    def keep() -> None:
        with engine.lead:
            kept.set()
            go_on.wait(60)

    keeper = threading.Thread(target=keep)
    keeper.start()
    kept.wait(60)
    try:
        yield
    finally:
        go_on.set()
        keeper.join()


class Load:
    """Threads that call nodes, and some tasks of a loop, until the block is left. `told`: what each call passed, and what it was told."""

    def __init__(self, nodes: list[Any], threads: int = 3) -> None:
        self.told = list[tuple[Any, int]]()
        self.errors = list[Exception]()
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._call, args=(node, (which, each))) for which, node in enumerate(nodes) for each in range(threads)
        ]
        self._threads.append(threading.Thread(target=self._run_loop, args=(nodes[-1],)))

    def _run_loop(self, node: Any) -> None:
        async def call(which: int) -> None:
            number = 0
            while not self._over.is_set():
                number += 1
                mark = ("task", which, number)
                self.told.append((mark, await beside(node).keep(mark)))

        async def call_all() -> None:
            await asyncio.gather(*map(call, range(4)))

        try:
            asyncio.run(call_all())
        except Exception as error:  # noqa: BLE001 - the same
            self.errors.append(error)

    def _call(self, node: Any, mark: tuple[int, int]) -> None:
        number = 0
        try:
            while not self._over.is_set():
                number += 1
                self.told.append(((*mark, number), node.keep((*mark, number))))
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            self.errors.append(error)

    def more(self, count: int) -> None:
        """Return when so many more calls have been answered."""
        wanted = len(self.told) + count
        wait_until(lambda: len(self.told) >= wanted or bool(self.errors))

    def __enter__(self) -> Self:
        for one in self._threads:
            one.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for one in self._threads:
            one.join()


def test_all_nodes_go_on_in_another_stream_and_their_callers_do_not_notice(cluster: Cluster) -> None:
    """Each call happened once, in the place that its caller was told; comparisons, tokens and reads that wait go on, too."""
    nodes = [cluster.node(number) for number in (1, 2, 3)]
    with Load(nodes) as load:
        for generation in (2, 3, 4):
            load.more(50)
            move_on(nodes[generation % 3])
            control(nodes[0]).compare()
            control(nodes[2]).wait_for(control(nodes[1]).token, 60)
            with linearizable(nodes[0]):
                assert len(nodes[0].kept) > 50
        load.more(50)
    assert load.errors == []
    level(*nodes)
    found = nodes[0].kept
    assert len(found) == len(load.told) == control(nodes[0]).lsn
    assert all(found[place - 1] == what for what, place in load.told)
    wait_until(lambda: [(counts(one).generation, counts(one).problem) for one in nodes] == [(4, "")] * 3)
    control(nodes[0]).close()
    level(cluster.node(1), *nodes[1:])


def test_what_went_behind_the_seal_goes_into_the_next_stream(cluster: Cluster) -> None:
    """Calls that the sealed stream has acknowledged, and that somebody wants to compare; they happen once, and nobody waits for ever."""
    one, two = cluster.node(1), cluster.node(2)
    impatient(two, LONG)
    told, compared = list[str](), list[int]()
    with kept_from_taking(two):
        move_on(one)
        wait_until(lambda: counts(one).generation == 2)
        callers = [threading.Thread(target=lambda letter=letter: told.append(two.add(letter))) for letter in "abc"]
        for sent, caller in enumerate(callers, 1):
            caller.start()
            wait_until(lambda sent=sent: messages(one, "calls", 1) == sent and not counts(two).under_way)  # type: ignore[misc]
        comparer = threading.Thread(target=lambda: compared.append(control(two).compare(60).nodes))
        comparer.start()
        wait_until(lambda: messages(one, "due", 1) == 1)
        assert (one.text, messages(one, "calls", 2)) == ("", 0)
    for caller in (*callers, comparer):
        caller.join()
    level(one, two)
    assert (sorted(two.text), sorted(told, key=len)) == (["a", "b", "c"], [two.text[:1], two.text[:2], two.text])
    assert (len(compared), messages(one, "due", 2)) == (1, 1)
    stream, key = peers_of(one).stream, key_of(one)
    found = [unseal(data, key) for _, data in surely(one, lambda: stream.all("calls"))]
    again = [message for message in found if isinstance(message, Calls) and message.calls]
    assert min(message.counter for message in again) > max(message.settled for message in again), "none says that another one is settled"
    assert (control(one).lsn, counts(two).generation) == (3, 2)


def test_what_goes_again_behind_a_seal_goes_no_faster_than_other_messages(
    cluster: Cluster, servers: LocalServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node that lags has sent many when it takes the seal: so many are under way at once as ever, in their order."""
    monkeypatch.setattr(publisher, "AGAIN", LONG)  # each is sent once, also where a server stands still
    first, said = servers.servers[0], list[tuple[int, int]]()  # all by one server, which hears an answer before what is sent upon it
    one, two = (cluster.node(each, cluster=servers.url(first, first.port), assume_durable=True) for each in (1, 2))
    impatient(two, LONG)
    calls, told = peers_of(one).stream.of(2).subject("calls"), list[str]()

    async def hear(message: Msg) -> None:
        kind, _, number = message.subject.rsplit(".", 2)
        if message.subject == calls and message.reply.startswith("_INBOX."):  # as it was sent, not as it came from the stream
            said.append((1, int(message.reply.rsplit(".", 1)[1])))
        elif kind.startswith("_INBOX.") and message.subject.endswith(f".2.{number}"):
            said.append((-1, int(number)))

    callers = [threading.Thread(target=lambda: told.append(two.add("x"))) for _ in range(3 * publisher.UNDER_WAY)]
    with kept_from_taking(two):
        move_on(one)
        wait_until(lambda: counts(one).generation == 2)
        peers_of(one).link.run(peers_of(one).link.client.subscribe(">", cb=hear))
        for sent, caller in enumerate(callers, 1):
            caller.start()
            wait_until(lambda sent=sent: messages(one, "calls", 1) == sent and not counts(two).under_way)  # type: ignore[misc]
    for caller in callers:
        caller.join()
    level(one, two)
    in_order = [number for much, number in said if much > 0]
    assert (in_order[: len(callers)], len(told)) == ([*range(1, len(callers) + 1)], len(callers))
    assert max(itertools.accumulate(much for much, _ in said)) <= publisher.UNDER_WAY


def test_of_many_that_have_another_stream_follow_one_seals(cluster: Cluster) -> None:
    """The others find that it is done."""
    nodes = [cluster.node(number) for number in (1, 2, 3)]
    begin = threading.Barrier(3)

    def move(node: Any) -> None:
        begin.wait()
        move_on(node)

    with ThreadPoolExecutor() as beside_each_other:
        assert [*beside_each_other.map(move, nodes)] == [None] * 3
    nodes[0].add("a")
    level(*nodes)
    generation = counts(nodes[0]).generation
    assert streams(nodes[0]) == [*range(1, generation + 1)]
    assert [messages(nodes[0], "seal", each) for each in range(1, generation)] == [1] * (generation - 1)
    assert [messages(nodes[0], "genesis", each) for each in range(1, generation + 1)] == [1] * generation


@pytest.mark.parametrize("what", ["genesis", "seal"])
def test_what_another_one_puts_there_at_the_same_moment_is_waited_for(cluster: Cluster, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """Servers that are about to store a message of this id do not say yet what becomes of it."""
    node, said = cluster.node(1), list[str]()
    request = peers_of(node).link.request

    async def ask(subject: str, data: bytes, *more: Any, **others: Any) -> Any:
        if subject.endswith(what) and not said:
            said.append(subject)
            error = {"code": 409, "err_code": 10158, "description": "duplicate message id is in process"}
            return SimpleNamespace(data=msgspec.json.encode({"error": error}))
        return await request(subject, data, *more, **others)

    monkeypatch.setattr(peers_of(node).link, "request", ask)
    move_on(node)
    wait_until(lambda: counts(node).generation == 2)
    assert len(said) == 1


@pytest.mark.parametrize("moment", ["before", "behind"])
def test_a_node_that_is_killed_at_the_seal_goes_on_where_it_was(cluster: Cluster, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    """Right before it is noted that the next stream is taken from, or right behind that: its directory as a kill leaves it is opened again."""
    one, two = cluster.node(1), cluster.node(2)
    two.add("a")
    two.add("b")
    control(one).barrier()
    noted, copied = OrderedEngine.go_on_behind_seal, threading.Event()

    def note(engine: OrderedEngine, generation: int) -> None:
        if moment == "behind":
            noted(engine, generation)
        if engine is system_of(two).engine:
            shutil.copytree(cluster.folder / "node2", cluster.folder / "node3")
            copied.set()
        if moment == "before":
            noted(engine, generation)

    monkeypatch.setattr(OrderedEngine, "go_on_behind_seal", note)
    move_on(one)
    assert copied.wait(60)
    assert two.add("c") == "abc"
    if moment == "behind":  # it needs the sealed stream no more
        control(one).prune_cluster()
    three = cluster.node(3)
    assert not (cluster.folder / "node3" / "quarantine").exists()
    level(one, two, three)
    assert (three.add("d"), counts(three).generation) == ("abcd", 2)
    for command in ("check", "log", "status", "repair"):
        assert run_coopy(command, cluster.folder / "node3").exit_code == 0


@pytest.mark.parametrize("begun", [False, True])
def test_a_stream_that_nothing_was_sealed_into_is_used_by_the_next_attempt(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, begun: bool
) -> None:
    """Its maker died, before or behind its first message. Until then nobody takes it for the current one, a new node neither."""
    one = cluster.node(1)
    one.add("a")
    moving: Moving = peers_of(one).running.moving
    next_stream = type(moving.here).begin if not begun else type(moving.here.stream).put_behind

    async def die(*_: object) -> None:
        raise ClusterError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(type(moving.here) if not begun else type(moving.here.stream), next_stream.__name__, die)
        with pytest.raises(ClusterError, match="killed"):
            move_on(one)
    assert (streams(one), messages(one, "seal", 1), counts(one).generation) == ([1, 2], 0, 1)
    two = cluster.node(2)
    assert (two.add("b"), counts(two).generation) == ("ab", 1)
    assert "is the only stream" in prune(cluster.name, cluster.servers.urls).output
    assert streams(one) == [1, 2]
    move_on(two)
    wait_until(lambda: counts(one).generation == counts(two).generation == 2)
    assert messages(one, "genesis", 2) == 1
    level(one, two, cluster.node(3))


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody loses a connection here, but where a test has it so."""
    monkeypatch.setattr(generations, "SETTLED", 0.0)


def prune(name: str, urls: str, *options: str) -> Any:
    """As an administrator does."""
    return run_coopy("cluster", "prune", name, "--cluster", urls, *options)


def test_streams_go_by_the_command_when_nobody_needs_them(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Until then it says what is missing. What they alone named goes from the store with them, and a new node finds its way."""
    one, two = cluster.node(1), cluster.node(2)
    one.add("a")
    control(one).share_snapshot()
    refused = prune(cluster.name, cluster.servers.urls, "--yes")
    assert (refused.exit_code, "is the only stream of the cluster" in refused.output) == (2, True)
    before = kept(one)
    with kept_from_taking(two):
        move_on(one)
        wait_until(lambda: counts(one).generation == 2)
        one.add("b")
        wait_until(lambda: messages(one, "snapshot", 2) == 1)
        refused = prune(cluster.name, cluster.servers.urls, "--yes")
        assert (refused.exit_code, "names 1 snapshot, and 2 are to be there" in refused.output) == (2, True)
        control(one).share_snapshot()
        refused = prune(cluster.name, cluster.servers.urls, "--yes")
        assert (refused.exit_code, f"Nothing was deleted: 1 node still takes from coopy-{cluster.name}@1" in refused.output) == (2, True)
    level(one, two)
    with monkeypatch.context() as patched:
        patched.setattr(generations, "SETTLED", 1000.0)
        refused = prune(cluster.name, cluster.servers.urls, "--yes")
        assert (refused.exit_code, "seconds ago, and a node that lost its connection then has 1000 to go on" in refused.output) == (2, True)
    for _ in range(3):
        surely(one, peers_of(one).running.pruning.look)
    told = [found.message for found in caplog.records if "Nobody needs" in found.message]
    assert (len(told) in {1, 2}, len({*told})) == (True, 1)  # each node that looks says it once
    assert f"`coopy cluster prune {cluster.name} --cluster ADDRESSES`" in told[0]
    assert (counts(one).former, prune(cluster.name, cluster.servers.urls).exit_code, streams(one)) == (1, 2, [1, 2])  # nobody can be asked
    done = prune(cluster.name, cluster.servers.urls, "--yes")
    assert (done.exit_code, f"coopy-{cluster.name}@1 deleted" in done.output) == (0, True)
    assert streams(one) == [2]
    wait_until(lambda: (len(kept(one)), kept(one) & before) == (2, set()))  # that of a node which was no faster is dropped
    three = cluster.node(3)
    assert (three.add("c"), control(three).restored.base) == ("abc", 2)
    level(one, two, three)
    assert (prune(cluster.name, cluster.servers.urls, "--yes").exit_code, prune("nobody", cluster.servers.urls).exit_code) == (
        2,
        2,
    )


def test_a_node_prunes_the_cluster_by_hand(cluster: Cluster) -> None:
    """All nodes go on in another stream, two snapshots are sent, and those before it go; at once again nothing is begun twice."""
    one, two = cluster.node(1), cluster.node(2)
    with Load([two]) as load:
        load.more(10)
        assert control(one).prune_cluster() == [f"coopy-{cluster.name}@1"]
        load.more(10)
    assert load.errors == []
    level(one, two)
    assert (streams(two), counts(one).former) == ([2], 0)
    wait_until(lambda: len(kept(one)) == 2)  # the other node may have sent one beside those, which is dropped
    move_on(two)
    assert control(one).prune_cluster() == [f"coopy-{cluster.name}@2"]
    level(one, two, cluster.node(3))


def grow_until(nodes: list[Any], told: Callable[[], bool]) -> None:
    """Have the stream grow, and the state not, until it is so; no faster than nodes see to what is due."""

    def call() -> bool:
        for one in nodes:
            one.add_many("", sep="x" * 1000)
            looked(one)
        return told()

    wait_until(call)


def looked(node: Any) -> None:
    """Return when it has sent the snapshot that was due, and had another stream follow where that was."""
    wait_until(lambda: not peers_of(node).running.sharing._looks)


def size(node: Any, generation: int) -> int:
    """Of a stream, in bytes."""
    found: int = surely(node, peers_of(node).stream.of(generation).look).size
    return found


def test_a_large_stream_is_followed_by_itself_and_goes_where_that_is_asked_for(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """When two snapshots of it were sent, and it is some times as large. With `auto_prune` on any node the streams before go."""
    monkeypatch.setattr(sharing, "GROWN", 8_000)
    monkeypatch.setattr(sharing, "LARGE", 32_000)
    one, two = cluster.node(1), cluster.node(2)
    grow_until([one, two], lambda: counts(one).generation >= 2 and counts(one).former >= 1)
    assert 1 in streams(one)
    assert messages(one, "snapshot", 1) >= 2
    assert size(one, 1) >= 32_000
    control(two).close()
    two = cluster.node(2, auto_prune=True)
    grow_until([one, two], lambda: streams(one)[0] > 1)
    level(one, two, cluster.node(3))


def test_a_stream_with_a_limit_is_followed_before_it_is_full(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """By one with the same limit."""
    monkeypatch.setattr(sharing, "GROWN", 8_000)
    one = cluster.node(1)
    config = ask(one, f"STREAM.INFO.coopy-{cluster.name}@1")["config"]
    ask(one, f"STREAM.UPDATE.coopy-{cluster.name}@1", {**config, "max_bytes": 100_000})
    grow_until([one], lambda: counts(one).generation > 1)
    assert ask(one, f"STREAM.INFO.coopy-{cluster.name}@2")["config"]["max_bytes"] == 100_000
    assert 50_000 <= size(one, 1) < 100_000


# --- who was away --------------------------------------------------------------------------------------------------------


def test_a_node_that_was_away_follows_the_streams_that_are_there(cluster: Cluster) -> None:
    """To the seal of each, and on."""
    one = with_one_away(cluster)
    for letter in "bc":
        one.add(letter)
        move_on(one)
        looked(one)
        level(one)
    one.add("d")
    two = cluster.node(2)
    level(one, two)
    assert (two.text, control(two).restored.base, counts(two).generation) == ("abcd", 0, 3)
    level(one, two, cluster.node(3))


def test_a_node_that_was_away_for_too_long_begins_with_a_snapshot(cluster: Cluster, caplog: pytest.LogCaptureFixture) -> None:
    """What it needs is gone: what it had is in quarantine/, and it says so. It goes on in the newest stream."""
    one, two = cluster.node(1), cluster.node(2)
    two.add("a")
    two_had = control(two).lsn
    control(two).close()
    one.add("b")
    control(one).prune_cluster()
    one.add("c")
    two = cluster.node(2)
    assert any("what it held is in quarantine/" in one.message for one in caplog.records)
    assert [*(cluster.folder / "node2" / "quarantine").glob("journal-*.log*")]
    assert (two_had, control(two).restored.base) == (1, 2)
    level(one, two)
    assert two.add("d") == "abcd"
    control(two).close()
    level(one, cluster.node(2))


def test_a_new_node_whose_server_does_not_know_of_the_streams_begins_no_other_history(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It makes the first stream, sees then that there are later ones, and goes there. Nobody takes the empty one for anything, one that was away neither."""
    one = with_one_away(cluster)
    control(one).prune_cluster()
    generations_of, asked = stream.Stream.generations, list[int]()

    async def at_first_none(self: stream.Stream) -> list[int]:
        asked.append(self.generation)
        return await generations_of(self) if len(asked) > 1 else []

    with monkeypatch.context() as patched:
        patched.setattr(stream.Stream, "generations", at_first_none)
        three = cluster.node(3)
    assert (streams(one), messages(one, "genesis", 1)) == ([1, 2], 0)
    assert three.add("b") == "ab"
    level(one, three, cluster.node(2))


def test_a_node_that_is_cut_off_for_too_long_stops_and_says_what_to_do(cluster: Cluster, servers: LocalServers, ways: list[Way]) -> None:
    """Its own call, which was sent, is of unknown outcome."""
    one, two = cluster.node(1), cluster.node(2, cluster=through(servers, ways))
    two.add("a")
    control(one).barrier()
    for way in ways:
        way.cut()
    wait_until(lambda: not counts(two).connected)
    one.add("b")
    wait_until(lambda: not surely(one, lambda: nodes_beside(one)))
    control(one).prune_cluster()
    for way in ways:
        way.mend()
    wait_until(lambda: control(two).stats().state != "open")
    with pytest.raises(ClusterError, match=r"@1 is gone, and \S+@2 goes on: this node was away for too long.*goes to quarantine/"):
        two.add("c")
    assert two.text == "a"
    control(two).close()
    two = cluster.node(2)
    assert two.add("c") == "abc"
    level(one, two)


async def nodes_beside(node: Any) -> list[bytes]:
    """Those that take from the same stream."""
    return [one for one in await peers_of(node).stream.nodes() if one != peers_of(node).id]
