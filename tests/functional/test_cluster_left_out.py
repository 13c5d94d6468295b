"""`coopy repair --skip` in a cluster: what is left out on one node is left out on all of them, or it is said who has executed it, and what to do."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from coopy import control
from coopy.cluster import generations
from coopy.error import ClusterError, DivergenceError
from tests.functional.test_cluster_bad_days import counts, wait_until
from tests.functional.test_cluster_generations import move_on
from tests.functional.test_cluster_moments import quiet
from tests.functional.test_replication_bad_days import run_coopy
from tests.servers import Cluster, cluster, level, servers
from tests.words import Word

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["cluster", "servers"]


def skip(directory: Path, lsn: int) -> None:
    """Leave it out there."""
    told = run_coopy("repair", "--yes", "--skip", str(lsn), directory)
    assert (told.exit_code, "while none is open" in told.output) == (0, True), told.output


def test_what_is_left_out_is_so_on_all_nodes_also_on_new_ones(cluster: Cluster) -> None:
    """One that was away leaves it out when it comes to it; one that has executed it is refused, until it leaves it out, or is made anew."""
    one, two, three, away = (cluster.node(number) for number in (1, 2, 3, 4))
    one.add("a")
    control(away).barrier()
    cluster.leave(away)
    for letter in "bcd":
        one.add(letter)
    level(one, two, three)
    cluster.leave(one, two, three)
    directories = {number: cluster.folder / f"node{number}" for number in (1, 2, 3)}
    skip(directories[1], 2)
    one = cluster.node(1)
    assert one.text == "acd"
    with pytest.raises(
        ClusterError, match=r"leave out the action with LSN 2, and .*node2 has executed that.*repair --skip LSN .*node2.*move"
    ):
        cluster.node(2)
    skip(directories[2], 2)
    shutil.rmtree(directories[3])
    nodes = [one, *(cluster.node(number) for number in (2, 3, 4, 5))]
    assert nodes[-1].add("e") == "acde"
    level(*nodes)
    assert [control(node).stats().raised for node in nodes] == [0] * 5
    control(nodes[3]).close()
    assert cluster.node(4).text == "acde"


def test_nodes_that_are_open_have_executed_what_another_is_to_leave_out(cluster: Cluster) -> None:
    """It is refused, and they go on."""
    one, two = cluster.node(1), cluster.node(2)
    one.add("a")
    level(one, two)
    control(one).close()
    skip(cluster.folder / "node1", 1)
    with pytest.raises(
        ClusterError, match=r"node1 leaves out the action with LSN 1, and nodes are open that have executed that.*Close them all"
    ):
        cluster.node(1)
    assert two.add("b") == "ab"
    cluster.leave(one, two)
    assert cluster.node(1).add("c") == "bc"
    with pytest.raises(ClusterError, match="leave out the action with LSN 1, and"):
        cluster.node(2)


def test_a_snapshot_that_holds_what_was_left_out_later_begins_no_node(cluster: Cluster) -> None:
    """The first one does, and all of the stream. One that was shared since does again."""
    one, two = cluster.node(1), cluster.node(2)
    one.add("a")
    level(one, two)
    control(one).share_snapshot()
    cluster.leave(one, two)
    skip(cluster.folder / "node2", 1)
    shutil.rmtree(cluster.folder / "node1")
    two = cluster.node(2)
    new = cluster.node(1)
    assert control(new).restored.base == 0
    assert (two.text, new.text, new.add("b")) == ("", "", "b")
    level(new, two)
    control(new).share_snapshot()
    begun = cluster.node(3)
    assert (begun.text, control(begun).restored.base) == ("b", 2)
    level(new, two, begun)


def test_what_is_left_out_is_known_in_the_streams_that_follow(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new node leaves it out, too, though nobody has joined there yet; so it is taken for one of them when others join."""
    monkeypatch.setattr(generations, "SETTLED", 0.0)
    one = cluster.node(1)
    one.add("a")
    one.add("b")
    cluster.leave(one)
    skip(cluster.folder / "node1", 1)
    one = cluster.node(1)
    assert len(control(one).prune_cluster()) == 1
    new = cluster.node(2)
    assert (new.text, new.add("c")) == ("b", "bc")
    level(one, new)
    for node in (one, new):
        control(node).close()
    nodes = [cluster.node(number) for number in (2, 1, 3)]
    assert nodes[0].add("d") == "bcd"
    level(*nodes)


def test_a_call_that_no_program_knows_any_more_can_be_left_out(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new node does not even read it."""
    one = cluster.node(1)
    one.add("a")
    one.keep("b")
    cluster.leave(one)
    monkeypatch.delattr(Word, "keep")
    with pytest.raises(DivergenceError, match="LSN 2: keep"):
        cluster.node(1)
    skip(cluster.folder / "node1", 2)
    nodes = [cluster.node(number) for number in (1, 2)]
    level(*nodes)
    assert nodes[1].add("c") == "ac"


def test_a_node_that_joins_beside_others_and_leaves_out_more_stops_them(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it could not be seen that they are there: they stop before anything that the two would make different things of."""
    one, two = cluster.node(1), cluster.node(2)
    one.add("a")
    level(one, two)
    control(one).close()
    skip(cluster.folder / "node1", 1)
    monkeypatch.setattr("coopy.cluster.stream.Stream.nodes", nobody)
    one = cluster.node(1)
    wait_until(lambda: control(two).stats().state != "open")
    with pytest.raises(ClusterError, match=r"makes something else of the action with LSN 1 than this one, which stopped before"):
        two.add("b")
    assert one.add("b") == "b"


@pytest.mark.parametrize("moved", [True, False])
def test_nodes_that_have_gone_on_in_the_next_stream_are_seen(cluster: Cluster, moved: bool) -> None:
    """One that leaves out what they have executed is refused, and they go on: whether it was away at the seal, or nobody has joined behind that."""
    one, two = cluster.node(1), cluster.node(2)
    one.add("a")
    level(one, two)
    with quiet(one):  # it takes no snapshot, which would hold what is to be left out
        if not moved:
            control(one).close()
        move_on(two)
        wait_until(lambda: counts(two).generation == 2)
        if moved:
            wait_until(lambda: counts(one).generation == 2)
            control(one).close()
    skip(cluster.folder / "node1", 1)
    with pytest.raises(ClusterError, match=r"node1 leaves out the action with LSN 1, and nodes are open that have executed that"):
        cluster.node(1)
    assert two.add("b") == "ab"


def test_what_is_left_out_in_a_later_stream_is_so_on_one_that_was_away_before(cluster: Cluster) -> None:
    """It stands in an earlier one, and has not executed that: it never does."""
    one, two = cluster.node(1), cluster.node(2)
    control(two).close()
    one.add("a")
    one.add("b")
    with quiet(one):  # it takes no snapshot, which would hold what is to be left out
        move_on(one)
        wait_until(lambda: counts(one).generation == 2)
        cluster.leave(one, two)
    skip(cluster.folder / "node1", 1)
    one, two = cluster.node(1), cluster.node(2)
    assert two.add("c") == "bc"
    level(one, two)


async def nobody(_self: object) -> list[bytes]:
    """As where the servers have not heard yet who is there."""
    return []
