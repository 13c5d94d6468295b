"""What happens to a node in the very moment in which something else does: nobody waits for ever, and nobody is told what is not so."""

from __future__ import annotations

import asyncio
import random
import re
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from datetime import datetime
from operator import not_
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from coopy import control
from coopy.cluster import durable, entering, generations, publisher, store, watching
from coopy.cluster import node as node_room
from coopy.cluster.addresses import read_addresses
from coopy.cluster.beginnings import Beginnings
from coopy.cluster.link import Link, LostError
from coopy.cluster.taker import Taker
from coopy.cluster.watching import Watching
from coopy.disk.fake import FakeDisk
from coopy.error import ClosedError, ClusterError, DiskFullError, UnconfirmedError
from coopy.wiring import Options, open_proxy
from coopy.wiring.systems import system_of
from tests.functional.test_cluster_bad_days import LONG, counts, impatient, through, told_once_sent, wait_until, ways
from tests.functional.test_cluster_generations import kept_from_taking, messages, move_on
from tests.functional.test_replication_bad_days import run_coopy
from tests.lone import Lone, peers_of
from tests.servers import Cluster, ask, cluster, level, servers, surely, with_one_away
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from coopy.cluster.local import LocalServers
    from coopy.cluster.stream import About
    from tests.cut import Way

__all__ = ["cluster", "servers", "ways"]
ROOT = Path(__file__).parents[2]


class Beside:
    """Something done by another thread. `told`: what it gave or raised."""

    def __init__(self, work: Callable[[], object]) -> None:
        self.told: list[object] = []
        self._work = work
        self._thread = threading.Thread(target=self._do, daemon=True)  # one that waits for ever keeps nobody
        self._thread.start()

    def _do(self) -> None:
        try:
            self.told.append(self._work())
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test shows it
            self.told.append(error)

    def end(self) -> Any:
        """What it was told."""
        self._thread.join(LONG)
        assert self.told, "it still waits"
        return self.told[0]


# --- a node is closed ----------------------------------------------------------------------------------------------------


def test_a_call_that_is_just_put_into_a_message_when_its_node_is_closed_is_told(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits no longer, and is not under way yet: nobody is to overlook it."""
    word = cluster.node(1)
    peers, engine = peers_of(word), system_of(word).engine
    wall, reached, go_on = engine.wall, threading.Event(), threading.Event()

    def stop_there() -> int:
        if threading.current_thread().name == "coopy cluster link":
            reached.set()
            go_on.wait(LONG)
        return wall()

    monkeypatch.setattr(node_room, "LEAVE", 0.0)
    monkeypatch.setattr(engine, "wall", stop_there)
    caller = Beside(lambda: word.add("a"))
    assert reached.wait(LONG)
    closer = Beside(control(word).close)
    wait_until(lambda: not peers.running.taker._thread.is_alive() and peers.link._closed)
    go_on.set()
    assert closer.end() is None
    assert isinstance(caller.end(), ClosedError)


def test_who_asks_the_cluster_for_something_while_the_node_is_closed_is_told_so(
    cluster: Cluster, servers: LocalServers, ways: list[Way]
) -> None:
    """Here the servers do not answer meanwhile."""
    word = cluster.node(1, cluster=through(servers, ways))
    for way in ways:
        way.deaf = True
    asking = [Beside(control(word).compare), Beside(control(word).share_snapshot)]
    wait_until(lambda: len(peers_of(word).link.run(tasks())) >= 2)
    control(word).close()
    assert [type(one.end()) for one in asking] == [ClosedError] * 2


async def tasks() -> list[str]:
    """What waits for an answer."""
    return [one.get_name() for one in asyncio.all_tasks() if "request" in str(one.get_coro())]


def test_what_is_asked_behind_the_end_is_not_waited_for(cluster: Cluster) -> None:
    """While the connection is given back, and something of it still takes its time."""
    word, begun, go_on = cluster.node(1), threading.Event(), threading.Event()
    link = peers_of(word).link

    def take_time() -> None:
        begun.set()
        go_on.wait(LONG)

    slow = Beside(lambda: link.run(asyncio.to_thread(take_time)))
    assert begun.wait(LONG)
    closer = Beside(control(word).close)
    wait_until(lambda: link.problem == "it was closed")
    late = Beside(lambda: link.run(asyncio.Event().wait()))
    assert isinstance(late.end(), ClosedError)
    go_on.set()
    assert isinstance(slow.end(), ClosedError)
    assert closer.end() is None


def test_a_program_that_ends_closes_its_node(cluster: Cluster) -> None:
    """It does not do so itself. No thread can be begun any more then (on Python 3.12), and nobody complains."""
    addresses = cluster.servers.urls.replace("127.0.0.1", "localhost")
    text = f"""
from coopy import control, init_system
from tests.words import Word
word = init_system(Word, {str(cluster.folder / "node1")!r}, cluster={addresses!r}, name={cluster.name!r}, validation="off")
word.add("a")
control(word).share_snapshot()
"""
    ended = subprocess.run([sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "closed    at LSN 1" in run_coopy("status", cluster.folder / "node1").output


def test_a_clock_and_a_zone_that_are_far_off_stop_no_node(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one stamps, all can take: else nobody could take anything behind it any more."""
    one, two = cluster.node(1), cluster.node(2)
    monkeypatch.setenv("TZ", "XXX+24:30")
    time.tzset()
    try:
        monkeypatch.setattr(system_of(one).engine, "wall", lambda: -(10**18))  # a machine may stand in 1938
        one.stamp()
    finally:
        monkeypatch.undo()
        time.tzset()
    two.stamp()
    level(one, two)
    assert [seen[1].year for seen in one.kept] == [1970, datetime.now().year]


def test_a_node_that_is_interrupted_as_the_client_is_loaded_can_be_opened_again(cluster: Cluster) -> None:
    """In the same process, as in a shell."""
    text = f"""
import os, signal, sys
from coopy import control, init_system
from tests.words import Word
class Interrupter:
    def find_spec(self, name, path, target=None):
        if name == "nats.js.client":
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupter())
def begin():
    return init_system(Word, {str(cluster.folder / "node1")!r}, cluster={cluster.servers.urls!r}, name={cluster.name!r}, validation="off")
try:
    begin()
except KeyboardInterrupt:
    with control(begin()) as word:
        print(word.add("a"))
"""
    ended = subprocess.run([sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "a\n", "")


# --- a connection is lost, a node stops, a disk is full --------------------------------------------------------------------


def test_a_node_takes_again_that_lost_its_connection_between_two_questions(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stream is looked at, and then there is nobody to take from it by."""
    word, verify = cluster.node(1), Beginnings.verify
    lost = list[bool]()

    async def and_lose(self: Beginnings, about: About, *given: Any) -> None:
        await verify(self, about, *given)
        if not lost:
            lost.append(True)
            await self.stream.link.client.close()

    monkeypatch.setattr(Beginnings, "verify", and_lose)
    peers_of(word).link.run(peers_of(word).link.client.close())
    wait_until(lambda: bool(lost) and counts(word).connected)
    assert word.add("a") == "a"


def test_a_call_that_went_out_again_before_it_was_refused_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server stands still meanwhile. Each time that it was sent it was refused: it did not happen."""
    with Lone(tmp_path) as lone:
        word = lone.node()
        about = ask(word, "STREAM.INFO.coopy-word@1")
        ask(word, "STREAM.UPDATE.coopy-word@1", {**about["config"], "max_bytes": about["state"]["bytes"] + 100})
        told = sent_again(lone, word, "x" * 1000, monkeypatch)
        assert re.search("refused the call: maximum bytes exceeded. It did not happen", str(told)), told
        ask(word, "STREAM.UPDATE.coopy-word@1", {**about["config"], "max_bytes": -1})
        assert word.keep("y") == 1


def test_a_call_that_went_out_again_before_it_was_denied_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same, where the server does not let this user call."""
    permissions = 'publish: { allow: ">", deny: "coopy.word.*.calls" }'
    with Lone(tmp_path, f"authorization {{ users: [ {{ user: wiki, password: p, permissions: {{ {permissions} }} }} ] }}") as lone:
        word = lone.node("wiki:p@")
        told = sent_again(lone, word, "x", monkeypatch)
        assert re.search(r"not let this user publish to coopy\.word\.1\.calls\. .*did not happen", str(told)), told


def sent_again(lone: Lone, word: Any, what: str, monkeypatch: pytest.MonkeyPatch) -> object:
    """What a caller is told whose call was sent twice when the server heard of it."""
    impatient(word, LONG)
    with monkeypatch.context() as patched, lone.frozen():
        patched.setattr(publisher, "AGAIN", 0.0)
        caller = Beside(lambda: word.keep(what))
        wait_until(lambda: counts(word).republished > 0)
    return caller.end()


def test_who_gets_no_answer_to_the_first_question_is_not_told_that_there_is_no_connection(servers: LocalServers, ways: list[Way]) -> None:
    """There is one, and what the server says to the question is lost on the way."""
    link = Link(read_addresses(through(servers, ways)), None)
    link.open()
    for way in ways:
        way.deaf = True
    try:
        with pytest.raises(LostError, match=r"does not answer: .*\(nothing was answered yet\)"):
            link.run(link.ask("INFO", None, 0.1))
    finally:
        link.close()


def test_a_barrier_waits_for_a_call_that_went_behind_a_seal_and_is_to_go_again(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """That the sealed stream has acknowledged it is no fate yet: here the next one does not hear of it at first, and of the barrier it would."""
    monkeypatch.setattr(publisher, "AGAIN", LONG)
    one, two = cluster.node(1), cluster.node(2)
    running, lost, asked = peers_of(two).running, list[str](), list[object]()
    client, given_up, there = peers_of(two).link.client, running.publisher.given_up, peers_of(two).stream.of(2).subject("calls")
    publish = client.publish

    async def lose_one(subject: str, *what: Any, **more: Any) -> None:
        if subject == there and not lost:
            lost.append(subject)
        else:
            await publish(subject, *what, **more)

    def and_note() -> object:
        asked.append(found := given_up())
        return found

    monkeypatch.setattr(client, "publish", lose_one)
    with kept_from_taking(two):
        move_on(one)
        wait_until(lambda: counts(one).generation == 2)
        told = told_once_sent(two, lambda: two.add("a"))
        assert re.search(r"nobody said that it has it|unless it came behind the seal", str(told)), told
        wait_until(lambda: not counts(two).under_way)
        monkeypatch.setattr(running.publisher, "given_up", and_note)
        waiting = Beside(lambda: (control(two).barrier(), two.text))
        wait_until(lambda: bool(asked))
    wait_until(lambda: bool(lost))
    monkeypatch.undo()
    assert waiting.end() == (1, "a")


def test_who_reads_what_is_wrong_with_the_servers_finds_calls_refused(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """And who reads that nothing is any more finds them taken, though the thread that says it stands still right there."""
    monkeypatch.setattr(watching, "EVERY", 0.1)
    word = cluster.node(1)
    with stopped_behind_saying(monkeypatch, bool) as said:
        monkeypatch.setattr(durable, "OLDEST", (99, 1))
        assert said.wait(LONG)
        refused = Beside(lambda: word.add("a")).end()
        assert re.search("it is version 2.*did not happen", str(refused)), refused
    with stopped_behind_saying(monkeypatch, not_) as said:
        monkeypatch.setattr(durable, "OLDEST", (2, 14))
        assert said.wait(LONG)
        taken = Beside(lambda: word.add("b"))
        wait_until(lambda: bool(counts(word).waiting or taken.told))
    assert taken.end() == "b"


@contextmanager
def stopped_behind_saying(monkeypatch: pytest.MonkeyPatch, that: Callable[[object], bool]) -> Iterator[threading.Event]:
    """The thread that watches the servers goes no further, once it has said such a problem, until the block is left. The event: it has."""
    said, go_on = threading.Event(), threading.Event()

    def say(self: Any, name: str, value: object) -> None:
        object.__setattr__(self, name, value)
        if name == "problem" and that(value):
            said.set()
            go_on.wait(LONG)

    with monkeypatch.context() as patched:
        patched.setattr(Watching, "__setattr__", say)
        try:
            yield said
        finally:
            go_on.set()


def test_a_barrier_says_nothing_of_what_its_node_stopped_before(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where both came at once: what cannot be executed here, and the barrier behind it."""
    one, two = cluster.node(1), cluster.node(2)
    with kept_from_taking(two):
        one.add("a")  # is being taken while the others come
        wait_until(lambda: counts(two).lag == 1 and peers_of(two)._arrived.empty())
        one.keep("b")
        engine = system_of(two).engine
        monkeypatch.setattr(engine.executor, "methods", {"add": engine.executor.methods["add"]})
        waiting = Beside(control(two).barrier)
        wait_until(lambda: messages(one, "calls", 1) == 3)
    found = waiting.end()
    assert isinstance(found, ClusterError | UnconfirmedError), found


def test_a_node_whose_disk_has_no_room_for_the_state_says_so(cluster: Cluster) -> None:
    """At once, and not that the cluster has nothing to begin with."""
    one = cluster.node(1)
    one.keep(random.Random(1).randbytes(400_000))
    control(one).share_snapshot()
    options = Options(cluster=cluster.servers.urls, name=cluster.name, validation="off")
    with pytest.raises(DiskFullError, match=r"There is no room for .*Make room and open it again"):
        open_proxy(Word, "/node2", options, FakeDisk(capacity=200_000))


def test_a_node_whose_disk_is_full_says_so_and_goes_on_where_there_is_room(cluster: Cluster) -> None:
    """What it cannot keep it does not execute; its callers, its queries and who looks after it hear or see that."""
    one, disk = cluster.node(1), FakeDisk(capacity=1_500_000)
    options = Options(cluster=cluster.servers.urls, name=cluster.name, validation="off")
    two, dice = open_proxy(Word, "/node2", options, disk), random.Random(1)
    two.add("a")
    for _ in range(6):
        one.keep(dice.randbytes(300_000))
    wait_until(lambda: control(two).stats().state == "failed")
    said = r"There is no room for [\d,]+ bytes in /node2\S+, so the node took no more behind message \d+ of the shared journal. What it has is intact. Make room."
    for call in (lambda: two.add("b"), control(two).barrier):
        with pytest.raises(ClosedError, match=said):
            call()
    assert re.search(said, control(two).problem)
    assert not counts(two).connected
    assert (two.text, one.text, len(two.kept) < 6) == ("a", "a", True)
    control(two).close()
    disk.capacity = None
    two = open_proxy(Word, "/node2", options, disk)
    level(one, two)
    control(two).close()


def test_a_snapshot_that_goes_while_a_new_node_takes_it_is_not_waited_for(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two newer ones were sent meanwhile, so that it was dropped: the new node begins with the newest, unless it had all of the other one already."""
    monkeypatch.setattr(store, "STALLED", 1.0)
    one, dice = cluster.node(1), random.Random(1)
    for _ in range(12):
        one.keep(dice.randbytes(500_000))
    control(one).share_snapshot()
    keep, sent = store._Sink._keep, list[int]()

    def while_others_are_sent(self: store._Sink, data: bytes) -> None:
        if self._file is not None and self.size > 1_000_000 and not sent:
            sent.append(0)
            for _ in range(2):
                one.add("a")
                sent.append(control(one).share_snapshot())
        keep(self, data)

    monkeypatch.setattr(store._Sink, "_keep", while_others_are_sent)
    two = cluster.node(2)
    assert sent == [0, 13, 14]
    assert control(two).restored.base in {12, 14}
    level(one, two)


@pytest.mark.parametrize("moment", ["asks of its stream", "takes from it"])
def test_a_node_that_is_opened_as_its_stream_goes_begins_with_what_follows(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, moment: str
) -> None:
    """By itself; what it had is in quarantine/."""
    monkeypatch.setattr(generations, "SETTLED", 0.0)
    one = with_one_away(cluster)
    one.add("b")
    gone = list[str]()

    def prune() -> None:
        if not gone:
            gone.append("")
            gone.extend(control(one).prune_cluster())

    where, what = {"asks of its stream": (entering, "_about"), "takes from it": (Taker, "start")}[moment]
    real = getattr(where, what)

    def first_prune(*given: Any) -> Any:
        prune()
        return real(*given)

    monkeypatch.setattr(where, what, first_prune)
    two = cluster.node(2)
    assert gone == ["", f"coopy-{cluster.name}@1"]
    assert any("what it held is in quarantine/" in one.message for one in caplog.records)
    assert two.add("c") == "abc"
    level(one, two)
    control(two).close()
    level(one, cluster.node(2))


def test_a_node_whose_stream_was_deleted_by_hand_says_what_goes_on(cluster: Cluster) -> None:
    """Before the one that follows had a snapshot: as soon as it has one, the node begins with that."""
    one = with_one_away(cluster)
    with quiet(one):
        move_on(one)
        wait_until(lambda: counts(one).generation == 2)
        surely(one, peers_of(one).stream.of(1).delete)
        with pytest.raises(ClusterError, match=r"@1 is gone, and \S+@2, which follows.*share_snapshot\(\).*open this directory again"):
            cluster.node(2)
    control(one).share_snapshot()
    level(one, cluster.node(2))


@contextmanager
def quiet(node: Any) -> Iterator[None]:
    """It sends no snapshots by itself."""
    peers = peers_of(node)
    sharing = peers.running.sharing

    async def keep_quiet() -> None:
        while sharing._looks:  # noqa: ASYNC110 - since it was opened, perhaps: nobody is told when that is over
            await asyncio.sleep(0.01)
        sharing._looks = True

    peers.link.run(keep_quiet())
    yield
    sharing._looks = False
