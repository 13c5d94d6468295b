"""The stream of a cluster is followed by another, and goes as a whole: calls go on meanwhile, nothing is lost, and nothing happens twice."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from coopy import control, linearizable
from coopy.wiring.systems import system_of
from tests.functional.test_cluster_bad_days import counts, wait_until
from tests.lone import peers_of
from tests.servers import Cluster, cluster, level, servers

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["cluster", "servers"]


def move_on(node: Any) -> None:
    """Have another stream follow on the one that it takes from."""
    peers, archive = peers_of(node), system_of(node).archive
    peers.link.run(peers.running.moving.begin_next(archive.identity))


def streams(node: Any) -> list[int]:
    """The generations that are there."""
    peers = peers_of(node)
    found: list[int] = peers.link.run(peers.stream.generations())
    return found


class Load:
    """Threads that call nodes, until the block is left; each call by its number. `told`: what each was told."""

    def __init__(self, nodes: list[Any], threads: int = 3) -> None:
        self.told = list[tuple[Any, int]]()
        self.errors = list[BaseException]()
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._call, args=(node, (which, each))) for which, node in enumerate(nodes) for each in range(threads)
        ]

    def _call(self, node: Any, mark: tuple[int, int]) -> None:
        number = 0
        try:
            while not self._over.is_set():
                number += 1
                self.told.append(((*mark, number), node.keep((*mark, number))))
        except BaseException as error:
            self.errors.append(error)

    def more(self, count: int) -> None:
        """Return when so many more calls have been answered."""
        wanted = len(self.told) + count
        wait_until(lambda: len(self.told) >= wanted or bool(self.errors))

    def __enter__(self) -> Load:
        for one in self._threads:
            one.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for one in self._threads:
            one.join()


def test_all_nodes_go_on_in_another_stream_and_their_callers_do_not_notice(cluster: Cluster) -> None:
    """Each call happened once, in the place that its caller was told; a comparison, tokens and reads that wait go on, too."""
    nodes = [cluster.node(number) for number in (1, 2, 3)]
    with Load(nodes) as load:
        for generation in (2, 3, 4):
            load.more(50)
            move_on(nodes[generation % 3])
            assert control(nodes[0]).compare().nodes >= 1
            token = control(nodes[1]).token
            control(nodes[2]).wait_for(token, 20)
            with linearizable(nodes[0]):
                assert len(nodes[0].kept) >= len({*load.told}) - 9
        load.more(50)
    assert load.errors == []
    level(*nodes)
    kept = nodes[0].kept
    assert len(kept) == len(load.told) == control(nodes[0]).lsn
    assert all(kept[place - 1] == what for what, place in load.told)
    assert [counts(one).generation for one in nodes] == [4, 4, 4]
    assert [one.problem for one in map(counts, nodes)] == ["", "", ""]
    control(nodes[0]).close()
    again = cluster.node(1)
    level(again, *nodes[1:])
