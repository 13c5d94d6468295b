"""Nodes compare their states, and one that has another than most stops itself."""

from __future__ import annotations

import asyncio
import itertools
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

import coopy.aio
from coopy import control
from coopy.cluster import comparing
from coopy.cluster.message import Due, unseal
from coopy.error import DivergenceError, UnconfirmedError
from coopy.wiring.systems import system_of
from tests.functional.test_cluster_bad_days import LONG, counts, wait_until
from tests.functional.test_cluster_stream import key_of, messages_of
from tests.lone import peers_of
from tests.servers import Cluster, cluster, level, servers, wait_gone
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["cluster", "servers"]


class Loose(Word):
    """A domain that looks at something which is not its own: `turns`, one for each execution."""

    turns: Iterator[str] = iter(())

    def look(self) -> str:
        """Keep what is there."""
        self.text += next(self.turns)
        return self.text


def stopped(nodes: list[Any]) -> list[Any]:
    """Those that do not go on."""
    return [one for one in nodes if control(one).stats().state != "open"]


def calls_go_on(nodes: list[Any]) -> int:
    """Call each; on how many it did."""
    done = 0
    for one in nodes:
        with suppress(DivergenceError, UnconfirmedError):  # it stopped, before the call or meanwhile
            done += bool(one.add("c"))
    return done


def test_nodes_that_are_asked_say_what_they_have_and_go_on(cluster: Cluster) -> None:
    """The digest is that of the state at the LSN, and the journals of all remember it."""
    one = cluster.node(1)
    one.add("a")
    assert control(one).compare().nodes == 1
    two, three = cluster.node(2), cluster.node(3)
    two.add("b")
    found = control(three).compare()
    assert (found.lsn, found.nodes, found.digest) == (2, 3, level(one, two, three))
    wait_until(lambda: all(counts(node).compared == 2 for node in (one, two, three)))
    assert control(one).verify().digest == found.digest
    control(three).compare()
    control(three).take_snapshot()
    cluster.leave(three)
    three = cluster.node(3)  # the last message that it took is one of the comparison
    assert three.add("c") == "abc"

    async def ask() -> int:
        async with coopy.aio.open(Word, cluster.folder / "task", cluster=cluster.servers.urls, name=cluster.name, validation="off") as four:
            return (await coopy.aio.control(four).compare()).nodes

    assert asyncio.run(ask()) == 4


def test_a_node_that_has_another_state_than_most_stops_and_the_others_go_on(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says where, both digests, and what to do; made anew, it has what the others have."""
    nodes = [cluster.node(number, Loose) for number in (1, 2, 3)]
    nodes[0].add("a")
    before = control(nodes[0]).compare()
    monkeypatch.setattr(Loose, "turns", iter("xyx"))
    nodes[0].look()
    for one in nodes:
        control(one).barrier()
    with pytest.raises(DivergenceError) as caught:
        control(nodes[0]).compare()
    wait_until(lambda: len(stopped(nodes)) == 1)
    wrong = stopped(nodes)[0]
    others = [one for one in nodes if one is not wrong]
    assert {one.text for one in others} == {"ax"}
    assert wrong.text == "ay", "its queries go on"
    with pytest.raises(DivergenceError, match=r"not the one that most nodes have.*remove it and open the node again") as told:
        wrong.add("b")
    assert (told.value.lsn, told.value.after, told.value.expected) == (2, before.lsn, control(others[0]).digest())
    assert {told.value.expected, told.value.got} == {caught.value.expected, caught.value.got}
    assert told.value.got in str(told.value)
    assert told.value.expected in str(told.value)
    assert others[0].add("b") == "axb"
    wait_gone(peers_of(others[1]).link, wrong)
    assert control(others[1]).compare().nodes == 2
    monkeypatch.setattr(Loose, "turns", itertools.repeat("x"))
    again = cluster.node(4, Loose)
    level(again, *others)
    assert control(again).compare().nodes == 3


def test_where_no_majority_has_the_same_all_stop(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows who is right."""
    one, two = cluster.node(1, Loose), cluster.node(2, Loose)
    monkeypatch.setattr(Loose, "turns", iter("xy"))
    one.look()
    with pytest.raises(DivergenceError, match="no majority has the same: all stopped"):
        control(two).compare()
    wait_until(lambda: len(stopped([one, two])) == 2)
    with pytest.raises(DivergenceError, match="no majority"):
        one.add("a")


def test_nodes_compare_by_themselves_when_the_actions_time_has_gone_on(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever calls then asks all; nobody has to be told."""
    monkeypatch.setattr(comparing, "EVERY", 200_000)
    one, two, three = (cluster.node(number, Loose) for number in (1, 2, 3))
    wait_until(lambda: calls_go_on([one, two]) == 2 and all(counts(node).compared for node in (one, two, three)))
    monkeypatch.setattr(Loose, "turns", iter("xxy"))
    three.look()
    wait_until(lambda: calls_go_on([one, two, three]) == 2)


def test_nodes_that_are_still_at_it_are_not_asked_again_by_themselves(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or those that are slow would each speak of another place, and never be compared."""
    one, two = cluster.node(1), cluster.node(2)
    one.add("a")
    monkeypatch.setattr(comparing, "PUT_OFF", 1 << 40)
    with ThreadPoolExecutor() as beside:
        with system_of(two).engine.lock:
            asked = beside.submit(control(one).compare, LONG)
            wait_until(lambda: dues(one) == 1)
            monkeypatch.setattr(comparing, "EVERY", 1)
            for _ in range(50):
                one.add("b")
            control(one).barrier()
            assert dues(one) == 1
        assert asked.result().nodes == 2
    wait_until(lambda: calls_go_on([one, two]) == 2 and dues(one) > 1)


def test_what_others_ask_meanwhile_takes_nobody_s_comparison_away(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many are listened to: one that somebody waits for is."""
    monkeypatch.setattr(comparing, "KEPT", 1)
    one, two = cluster.node(1), cluster.node(2)
    one.add("a")
    with ThreadPoolExecutor() as beside:
        with system_of(two).engine.lock:
            before = counts(one).sequence
            asked = [beside.submit(control(one).compare, LONG) for _ in range(2)]
            wait_until(lambda: counts(one).sequence == before + 4)  # two questions, and what this node says to both
        assert [each.result().nodes for each in asked] == [2, 2]


def dues(node: Any) -> int:
    """How often it was said in the stream that it is time."""
    key = key_of(node)
    return sum(isinstance(unseal(data, key), Due) for data in messages_of(node)[1:])


def test_a_node_that_does_not_answer_keeps_nobody_from_going_on(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others have a majority; who waits for all is told."""
    one, two, three = (cluster.node(number) for number in (1, 2, 3))
    one.add("a")
    now = [0.0]
    with ThreadPoolExecutor() as beside, system_of(three).engine.lock, monkeypatch.context() as patched:
        patched.setattr(comparing, "time", SimpleNamespace(monotonic=lambda: now[0]))
        asked = beside.submit(control(one).compare, timeout=1.0)
        wait_until(lambda: counts(one).compared == counts(two).compared == 1)
        now[0] = 2.0
        with pytest.raises(UnconfirmedError, match="1 of 3 nodes have not said theirs"):
            asked.result()
    assert control(three).compare().nodes == 3
