"""Streams, messages and servers that are not what they should be. Each is named, nothing of it is taken, and what a node has is intact.

The hostile cases of a cluster, by what is wrong, and where each is shown (what begins with an underscore stands in tests/functional/test_cluster*.py):

    the stream      missing, made anew                          _stream.py: a stream that was deleted, that was made anew
                    purged, messages deleted                    here: messages that were deleted
                    wrong replicas, retention, discard, storage here: a stream of other settings; _stream.py: a stream that would lose history
                    sync not always on one server               _unfit.py: a server that does not sync
    its messages    foreign, damaged, of another key            _stream.py: a message that somebody else put there, of another key
                    foreign, right behind calls of our own      here: calls before a message that cannot be taken
                    the right key at another place              here: what stands in the stream twice; _stream.py: of a writer that never began
                    a hole in the middle                        here: messages that were deleted, a message that was damaged
                    a hole at the end, the last one going down  here: a stream that lost its end
    its successor   missing, made anew, another system's, of    _sealed.py
                    another stream, with messages deleted
                    a seal of another key, that names another   _sealed.py
                    a successor that nothing was sealed into    _sealed.py: one whose maker died
                    deleted under a node that was away          _generations.py: a node that was away
    publishing      time-out and success, time-out and loss     _bad_days.py: an acknowledgement is lost, connections are cut, is cut off
                    a duplicate when the servers forgot it      here: what stands in the stream twice
                    several begin, or write in one place        here: nodes that begin at once; _share.py: one of two that share
                    nobody answers, too large, an account's     _unfit.py: without JetStream, that takes small messages, an account with limits
                    limits, a full stream                       _stream.py: a stream that is full
    the servers     a stale leader, one that changes, no quorum _bad_days.py: cut off, without a quorum, the leader is killed; tests/crash/test_cluster_faults.py
                    all restarted                               tests/crash/test_cluster_faults.py; _bad_days.py: without a quorum
                    too old, also one that was so later         _unfit.py: a server that does not sync
    the client      sends late what it kept back                _bad_days.py: an acknowledgement is lost; it is told to keep nothing back (link.py)
                    drops what it cannot hold                   here: a client that drops messages
                    its consumer is gone                        _bad_days.py: a call that the stream has
                    closes itself, and tells nobody             here: a client that closes itself unheard
    who may         a password, permission, key, token ends     _revoked.py, _keys.py
                    certificates                                _revoked.py: a certificate that expired; _tls.py
                    a password in texts                         _tls.py, _revoked.py, _keys.py; tests/unit/cluster/test_addresses.py
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from coopy import control
from coopy.cluster import consumer, stream
from coopy.cluster.message import Join, keyed, seal
from coopy.error import ClusterError, UnconfirmedError
from coopy.wiring.systems import system_of
from tests.functional.test_cluster_bad_days import counts, through, wait_until, ways
from tests.functional.test_cluster_generations import kept_from_taking, messages
from tests.functional.test_cluster_stream import messages_of, put, stopped, stream_of
from tests.lone import Lone, peers_of
from tests.servers import Cluster, ask, cluster, level, servers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from coopy.cluster.local import LocalServers
    from tests.cut import Way

__all__ = ["cluster", "servers", "ways"]


def begin_again(node: Any) -> None:
    """Have it look at the stream, as after any trouble with the connection."""
    peers = peers_of(node)
    peers.link.soon(peers.running.moving.consumer._again.set)


# --- the stream ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"retention": "workqueue"}, "retention is 'workqueue', not 'limits'"),
        ({"storage": "memory"}, "storage is 'memory', not 'file'"),
        ({"num_replicas": 1}, "num_replicas is 1, not 3 or more"),
        ({"discard": "old", "max_msgs": 9}, "max_msgs is 9, not -1; discard is 'old', not 'new'"),
        ({"max_msgs_per_subject": 9}, "max_msgs_per_subject is 9"),
        ({"deny_delete": False, "deny_purge": False}, "deny_delete is False, not True; deny_purge is False, not True"),
        ({"deny_purge": False, "allow_rollup_hdrs": True}, "allow_rollup_hdrs is True, not False"),
        ({"duplicate_window": 1_000_000_000}, "duplicate_window is 1000000000"),
        ({"max_msg_size": 1000}, "max_msg_size is 1000, not 525312 or more"),
        ({"no_ack": True}, "no_ack is True, and must not be"),
        ({"allow_msg_ttl": True}, "allow_msg_ttl is True, and must not be"),
        ({"first_seq": 5}, "first_seq is 5, and must not be"),
        ({"subjects": ["coopy.{}.1.>", "more.{}"]}, "subjects is"),
    ],
)
def test_a_stream_of_other_settings_than_a_journal_needs_is_refused(cluster: Cluster, change: dict[str, Any], said: str) -> None:
    """Whoever made it: each setting is named, and nothing is written into it."""
    other = cluster.node(2, name=f"{cluster.name}b")
    name = f"{stream.stream_name(cluster.name)}@1"
    wanted = {"name": name, "subjects": ["coopy.{}.1.>"], "num_replicas": 3, **stream.SETTINGS, **change}
    wanted["subjects"] = [one.format(cluster.name) for one in wanted["subjects"]]
    ask(other, f"STREAM.CREATE.{name}", wanted)
    with pytest.raises(ClusterError, match="is not as a shared journal must be") as caught:
        cluster.node(1)
    assert said in str(caught.value)
    assert "Nothing was changed. Choose another name=" in str(caught.value)
    assert ask(other, f"STREAM.INFO.{name}")["state"]["messages"] == 0
    assert not [*cluster.folder.glob("node1/*.log")]


@pytest.fixture
def careless(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """A cluster from whose stream an administrator may delete."""
    for name in ("deny_delete", "deny_purge"):
        monkeypatch.setitem(stream.SETTINGS, name, False)
    return cluster


@pytest.mark.parametrize(
    ("subject", "question", "said"),
    [
        ("STREAM.MSG.DELETE.{}", {"seq": 3, "no_erase": True}, "is not what it was: 1 messages were deleted"),
        ("STREAM.PURGE.{}", {"keep": 1}, r"is not what it was: it begins with message \d"),
        ("STREAM.PURGE.{}", {}, r"is not what it was: it begins with message \d"),
    ],
)
def test_messages_that_were_deleted_stop_all_nodes_as_soon_as_they_see_it(
    careless: Cluster, subject: str, question: dict[str, Any], said: str
) -> None:
    """Also where they had taken them; and one that is opened, with what it has or with nothing."""
    one, two = careless.node(1), careless.node(2)
    one.add("a")
    level(one, two)
    control(two).close()
    ask(one, subject.format(stream_of(one).name), question)
    begin_again(one)
    wait_until(lambda: control(one).stats().state != "open")
    assert one.text == "a"
    with pytest.raises(ClusterError, match=f"{said}.*What this node has is intact in its directory"):
        one.add("b")
    with pytest.raises(ClusterError, match=said):
        careless.node(2)
    with pytest.raises(ClusterError, match=r"is not what it was|its first one is gone"):
        careless.node(3)


def test_a_message_that_was_deleted_before_a_node_took_it_stops_that_node(
    careless: Cluster, servers: LocalServers, ways: list[Way]
) -> None:
    """It takes nothing of what is behind it."""
    one, two = careless.node(1, cluster=through(servers, ways)), careless.node(2)
    one.add("a")
    control(two).barrier()
    for way in ways:
        way.cut()
    sequence = counts(two).sequence
    for letter in "bcd":
        two.add(letter)
    ask(two, f"STREAM.MSG.DELETE.{stream_of(two).name}", {"seq": sequence + 2})
    for way in ways:
        way.mend()
    assert "1 messages were deleted" in stopped(one)


def test_what_stands_in_the_stream_twice_happens_once(cluster: Cluster) -> None:
    """Somebody puts each message there again, in whatever order, when the servers have forgotten it: with the right check, as a node had made it."""
    one, two = cluster.node(1), cluster.node(2)
    one.add("a")
    two.add("b")
    control(two).close()
    two = cluster.node(2)
    two.add("c")
    found = messages_of(one)
    for data in [*found[1:], *reversed(found[1:])]:
        put(one, data)
    assert one.add("d") == "abcd"
    level(one, two)
    put(one, found[0])  # the first one has a check of its own
    wait_until(lambda: control(one).stats().state != "open")
    with pytest.raises(ClusterError, match=r"Message \d+ of the stream \S+ cannot be taken: its check does not match"):
        one.add("e")


def test_a_message_of_another_system_is_not_taken(cluster: Cluster) -> None:
    """Though its writer has the signing key, if there is one."""
    node, other = cluster.node(1), cluster.node(2, name=f"{cluster.name}b")
    node.add("a")
    archive = system_of(other).archive
    put(node, seal(Join(b"n" * 16, "tests.words:Word", [], b""), keyed(archive.identity.secret, archive.key)))
    assert "its check does not match: it is damaged, of another system, or signed with another key" in stopped(node)


def test_calls_before_a_message_that_cannot_be_taken_are_answered(cluster: Cluster) -> None:
    """They came in one go with it: they are executed, and nobody waits for ever."""
    node = cluster.node(1)
    told = list[str]()
    with kept_from_taking(node):
        callers = [threading.Thread(target=lambda letter=letter: told.append(node.add(letter)), daemon=True) for letter in "ab"]
        for sent, caller in enumerate(callers, 1):
            caller.start()
            wait_until(lambda sent=sent: messages(node, "calls", 1) == sent)  # type: ignore[misc]
        put(node, b"nothing that anybody wrote")
        consumer, last = peers_of(node).running.moving.consumer, len(messages_of(node))
        wait_until(lambda: consumer.following > last)
    for caller in callers:
        caller.join(60)
    with pytest.raises(ClusterError, match="cannot be taken: it is no message of coopy's"):
        node.add("c")
    assert (sorted(told), node.text) == (["a", "ab"], "ab")


def test_nodes_that_begin_at_once_are_of_one_cluster(cluster: Cluster) -> None:
    """One of them is the first; the others take its state."""
    nodes, begin = dict[int, Any](), threading.Barrier(3)

    def open_one(number: int) -> None:
        begin.wait()
        nodes[number] = cluster.node(number)

    threads = [threading.Thread(target=open_one, args=(number,)) for number in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in (1, 2, 3):
        nodes[number].add("a")
    level(*nodes.values())
    assert {one.text for one in nodes.values()} == {"aaa"}
    assert len({system_of(one).archive.identity.system for one in nodes.values()}) == 1


# --- the client ----------------------------------------------------------------------------------------------------------


def test_a_client_that_drops_messages_leaves_no_hole(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may hold a few only, and many come at once: another consumer begins where it left off, and what is wrong is over then."""
    one, two = cluster.node(1), cluster.node(2)
    control(two).close()
    for number in range(30):
        one.keep((number, "x" * 1000))
    monkeypatch.setattr(consumer, "BUFFER", 5000)
    two = cluster.node(2)
    level(one, two)
    assert counts(two).consumers > 1
    assert (counts(two).connected, counts(two).problem) == (True, "")


def test_a_client_that_closes_itself_unheard_is_replaced(cluster: Cluster, servers: LocalServers, ways: list[Way]) -> None:
    """As where it fails in closing: it tells nobody, and the node looks for itself."""
    node = cluster.node(1, cluster=through(servers, ways))
    node.add("a")
    peers_of(node).link.client._closed_cb = None
    for way in ways:
        way.cut()
    for way in ways:
        way.mend()
    assert node.add("b") == "ab"
    assert counts(node).reconnects >= 1


# --- what servers lose ---------------------------------------------------------------------------------------------------


def damaged(lone: Lone, damage: Callable[[bytes], bytes], *, forget: bool) -> None:
    """Something becomes of the stream's file while its only server is away. `forget`: also of what the server has noted of it."""
    lone.stop()
    file = next(lone.folder.glob("kept/**/coopy-word@1/msgs/*.blk"))
    if forget:
        (file.parent / "index.db").unlink()
    file.write_bytes(damage(file.read_bytes()))
    lone.start()


def flipped(data: bytes) -> bytes:
    """One bit of the fourth call."""
    place = data.index(b"mark3")
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


@pytest.mark.parametrize("damage", [lambda data: data[: data.rindex(b"mark7") - 1], flipped])
def test_a_stream_that_lost_its_end_stops_who_had_taken_it(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    """The server cuts off what it cannot read, and begins there again. A node waits, for it may be one that was cut off; a call proves that it is not."""
    with Lone(tmp_path) as lone:
        node, other = lone.node(), lone.node(number=2)
        for number in range(8):
            node.keep(f"mark{number}")
        control(other).barrier()
        control(other).close()
        damaged(lone, damage, forget=True)
        wait_until(lambda: "and message" in peers_of(node).problem)
        with pytest.raises(ClusterError, match=r"ends with message \d+ there, and message \d+ was taken here.*is intact.*knows better"):
            lone.node(number=2)
        assert control(node).stats().state == "open"
        with pytest.raises(UnconfirmedError, match=r"gave a new message the sequence \d+, and this node has taken \d+ already"):
            node.keep("x")
        assert len(node.kept) == 8
        with pytest.raises(ClusterError, match="it lost what it had acknowledged"):
            node.keep("y")
        with pytest.raises(ClusterError, match=r"there, and message \d+ was taken here|is of another history"):
            lone.node(number=2)


def test_a_message_that_was_damaged_at_the_servers_is_taken_by_nobody(tmp_path: Path) -> None:
    """Who had taken it goes on; a new node stops before it, and says which."""
    with Lone(tmp_path) as lone:
        node = lone.node()
        for number in range(8):
            node.keep(f"mark{number}")
        damaged(lone, flipped, forget=False)
        assert node.keep("x") == 9
        with pytest.raises(ClusterError, match=r"Message 6 of the stream coopy-word@1") as caught:
            lone.node(number=2)
        assert vars(caught.value)["sequence"] == 6
