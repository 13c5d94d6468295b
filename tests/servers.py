"""Real servers for tests of the cluster: three of them, replicated, every write synced, for all tests of one file. Each test has a stream of its own.

Servers that stay work for every stream that ever was: kept for a whole run, they took a fifth of its processor time. To start them takes half a second.
"""

from __future__ import annotations

import itertools
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from coopy import control, init_system
from coopy.cluster.addresses import read_addresses
from coopy.cluster.link import Link
from coopy.cluster.local import LocalServers
from coopy.cluster.stream import Stream
from coopy.wiring.systems import system_of
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

T = TypeVar("T")
numbers = itertools.count(1)
ELECTED = 50.0  # seconds in which whatever needs a leader has one


@pytest.fixture(scope="module")
def servers() -> Iterator[LocalServers]:
    """Three servers that run and are ready. A test that hurts them has its own."""
    folder = Path(tempfile.mkdtemp(prefix="coopy-servers-"))
    try:
        with LocalServers(folder / "servers") as started:
            yield started
            for one in started.servers:  # what they keep is nobody's, and to end in good order takes them seconds for each test that was
                one.signal(signal.SIGKILL)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Cluster:
    """The nodes of one test, each in a directory of its own, on a stream of its own."""

    def __init__(self, servers: LocalServers, folder: Path) -> None:
        self.servers, self.folder, self.name = servers, folder, f"test{next(numbers)}"
        self._open: list[Any] = []

    def node(self, number: int, obj: Any = Word, /, **options: Any) -> Any:
        """Open a node."""
        given = {"cluster": self.servers.urls, "name": self.name, "validation": "off", **options}
        node = init_system(obj, self.folder / f"node{number}", **given)
        self._open.append(node)
        return node

    def leave(self, *nodes: Any) -> None:
        """Close these, and return when no server takes one for a node that is there: that whose client it was may stand still just then."""
        for one in nodes:
            control(one).close()
        link = Link(read_addresses(self.servers.urls), None)
        link.open()
        try:
            wait_gone(link, *nodes)
        finally:
            link.close()

    def close(self) -> None:
        """Close those that are open."""
        for one in self._open:
            control(one).close()


@pytest.fixture
def cluster(servers: LocalServers, tmp_path: Path) -> Iterator[Cluster]:
    """Nodes for one test. They are closed in the end."""
    made = Cluster(servers, tmp_path)
    yield made
    made.close()


def wait_gone(link: Link, *nodes: Any) -> None:
    """Return when the servers do not say any more that these take from their streams."""
    for one in nodes:
        peers: Any = system_of(one).peers
        stream = Stream(link, peers.stream.short, peers.stream.generation, assume_durable=True)
        deadline = time.monotonic() + ELECTED
        while peers.id in link.run(link.again(stream.nodes, ELECTED)):
            assert time.monotonic() < deadline
            time.sleep(0.01)


def with_one_away(cluster: Cluster) -> Any:
    """Node 1, of a cluster in which node 2 has called, and was closed then."""
    one, two = cluster.node(1), cluster.node(2)
    two.add("a")
    control(two).close()
    return one


def ask(node: Any, subject: str, question: object = None) -> dict[str, Any]:
    """An administrator's question, on a node's connection; again while nobody leads what it is about."""
    return surely(node, lambda: link_of(node).ask(subject, question))


def surely(node: Any, work: Callable[[], Awaitable[T]]) -> T:
    """What this gives, on the thread of a node's connection; again while the servers do not answer, as those that stand still, or elect a leader."""
    link = link_of(node)
    found: T = link.run(link.again(work, ELECTED))
    return found


def link_of(node: Any) -> Link:
    """A node's connection."""
    peers: Any = system_of(node).peers
    link: Link = peers.link
    return link


def level(*nodes: Any) -> str:
    """Have all show what was acknowledged anywhere, and be equal; gives their digest."""
    for one in nodes:
        control(one).barrier()
    digests = {control(one).digest() for one in nodes}
    assert len(digests) == 1, digests
    return digests.pop()
