"""A node of a cluster: a system whose actions are ordered by a stream. Puts together the link, the stream, what publishes and what takes.

    connect    the servers, before anything of the directory is touched
    fetch      an empty directory gets the cluster's state; the first node of all begins the stream, with its own
    follow     is it the stream that this directory is of, do the servers keep what they acknowledge -> take what came meanwhile -> join
    move       where the stream is sealed: on in the next one (moving.py)
    stop       what waits to be sent is sent, within a limit; then the connection goes

What cannot go on stops the node, for good: its queries go on, calls raise why.
"""

from __future__ import annotations

import secrets
import threading
import time
from queue import SimpleQueue
from typing import TYPE_CHECKING

import msgspec

from coopy.action import Outcome
from coopy.cluster.beginnings import Beginnings
from coopy.cluster.comparing import Comparing
from coopy.cluster.entering import LeftBehindError, agree, check_kept, check_whose, is_left_behind
from coopy.cluster.generations import Generations
from coopy.cluster.left_out import named
from coopy.cluster.link import PATIENCE, Link
from coopy.cluster.message import Digest, Due, Join, keyed, seal
from coopy.cluster.moving import Moving
from coopy.cluster.pruning import Pruning
from coopy.cluster.publisher import Publisher
from coopy.cluster.saying import Saying
from coopy.cluster.sharing import Sharing
from coopy.cluster.stream import Stream
from coopy.cluster.taker import Taker
from coopy.cluster.watching import Watching
from coopy.disk import after_fork_in_child
from coopy.engine.beside import WAKE
from coopy.engine.commit import PENDING, Entry
from coopy.engine.gate import FAILED
from coopy.engine.ordered import OrderedEngine
from coopy.engine.stats import NodeStats
from coopy.engine.system import System
from coopy.error import ClosedError, ClusterError, CoopyError, UnconfirmedError
from coopy.logs import logger

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from coopy.cluster.addresses import Addresses
    from coopy.cluster.consumer import Arrived
    from coopy.cluster.message import Seal
    from coopy.cluster.taker import Word
    from coopy.cluster.tally import Compared
    from coopy.engine.opening import Place
    from coopy.journal.segment import Taken

__all__ = ["Node", "Program"]

log = logger("cluster")
LEAVE = 10.0  # seconds that closing waits for it
LOOK = 0.002  # seconds between two looks at what others are to do


class Program(msgspec.Struct, frozen=True):
    """What runs on a node: the class, "module:Name"; the versions that it declares, by class; a hash of its source, empty where that is not known."""

    domain: str
    versions: tuple[tuple[str, int], ...] = ()
    source: bytes = b""


class Node:
    """One opening of one node; it is the system's `peers`."""

    def __init__(
        self, addresses: Addresses, tls: ssl.SSLContext | None, name: str, program: Program, key: bytes, *, assume_durable: bool
    ) -> None:
        self.addresses, self._program, self._versions = addresses, program, dict(program.versions)
        self.link = Link(addresses, tls)
        self._first = Beginnings(Stream(self.link, name, assume_durable=assume_durable), key)
        self._generations = Generations(self._first.stream, key)
        self.id = secrets.token_bytes(16)
        self._arrived: SimpleQueue[Arrived] = SimpleQueue()
        self._joined = threading.Event()
        self._stopping = False
        self._agreed = (0, 0)  # generation and sequence of the newest join that was known when this node began
        self._running: _Running | None = None

    # --- before the directory ----------------------------------------------------------------------------------------------

    def connect(self) -> None:
        """Find a server. Raises ClusterError, AuthenticationError, UsageError."""
        self.link.open()
        if not self.link.has_jetstream and not self.link.run(self._first.stream.within_reach()):
            what = f"No server of the cluster at {self.addresses} has JetStream, in which the stream is kept, as far as can be seen now. Nothing was changed"
            raise ClusterError(f"{what}. Set `jetstream {{ store_dir: ..., sync_interval: always }}` there, or start those that have it.")

    def fetch(self, place: Place, initial: Callable[[object], bytes]) -> None:
        """As Generations.fetch."""
        self._generations.fetch(place, initial)

    def left_behind(self, system: bytes, last: Taken) -> bool:
        """As Generations.left_behind."""
        return self._generations.left_behind(system, last)

    # --- with the directory ------------------------------------------------------------------------------------------------

    def follow(self, system: System) -> None:
        """Take what came, join, and go on. Raises ClusterError where the stream is not this directory's, or not kept as it must be.

        LeftBehindError where the stream was deleted meanwhile, and others go on: opened again, the directory begins with those.
        """
        try:
            self._follow(system)
        except ClusterError as error:
            if is_left_behind(system, self._generations):
                raise LeftBehindError(str(error)) from error
            raise

    def _follow(self, system: System) -> None:
        engine, identity, key = system.engine, system.archive.identity, system.archive.key
        assert isinstance(engine, OrderedEngine)
        here, messages_key = self._first.of(engine.progress.last.generation), keyed(identity.secret, key)
        about = check_kept(here.stream)
        check_whose(system, here, about, messages_key)
        self._agreed = agree(system, here, messages_key)
        moving = Moving(engine, identity.system, self.id, self._arrived, here, about.created, messages_key)
        saying = Saying(here)
        comparing = Comparing(system, engine, moving, saying, self.id, messages_key)
        pruning = Pruning(system, self._generations, moving)
        sharing = Sharing(system, moving, pruning, self.id, messages_key)
        publisher = Publisher(
            self.link, here.stream, self.id, messages_key, engine.stamp, PATIENCE, self._arrived.put, lambda: engine.progress.last.sequence,
            moving.expect,
        )  # fmt: skip
        taker = Taker(engine, self._arrived, here.stream, messages_key, self.id, publisher.take, moving.taken, self, self._fail)
        watching = Watching(self.link, publisher)
        self._running = _Running(system, engine, moving, publisher, taker, saying, comparing, sharing, pruning, watching)
        moving.told += [publisher.move, saying.move, lambda _: sharing.look()]
        after_fork_in_child(self._forked)
        taker.start()
        self.link.run(moving.consumer.begin())
        self.link.run(publisher.begin())
        if not here.stream.assume_durable:
            self.link.run(watching.begin())
        self._join(messages_key)
        engine.offer, engine.barrier = publisher.offer, self.barrier
        comparing.follows = True
        sharing.look()

    @property
    def stream(self) -> Stream:
        """The one that is taken from."""
        return self._running.moving.here.stream if self._running is not None else self._first.stream

    def _join(self, key: bytes) -> None:
        """Say that this node begins to write, and wait until all before that was taken here."""
        program, left_out = self._program, sorted(self.running.engine.left_out)
        data = seal(Join(self.id, program.domain, [*program.versions], program.source, left_out), key)
        saying = self.running.saying
        self.link.run(saying.say("join", data, self._tag), None)
        while not self._joined.wait(WAKE):
            self._check_lives()
            saying.check(self._tag)

    @property
    def _tag(self) -> str:
        """Of the message with which it joins."""
        return f"{self.id.hex()}-0"

    @property
    def running(self) -> _Running:
        """Its parts, once it follows."""
        if self._running is None:
            raise ClosedError("The node does not run (any more): open it again.")
        return self._running

    def _check_lives(self) -> None:
        engine = self.running.engine
        if engine.final is not None:
            raise engine.refusal()

    # --- what nodes say to each other, on the thread that takes --------------------------------------------------------------

    def joins(self, place: tuple[int, int], join: Join) -> None:
        """As Chores says. Raises ClusterError where its program is ahead of this one's, or it leaves out other actions."""
        otherwise = frozenset(join.left_out) ^ self.running.engine.left_out
        if otherwise and place > self._agreed:
            what = (
                f"A node has joined the cluster that makes something else of {named(sorted(otherwise))} than this one, which stopped before"
            )
            raise ClusterError(
                f"{what}: one of them leaves that out (`coopy repair --skip`). Open the directory again: it says what to do."
            )
        ahead = [f"version {version} of {name}" for name, version in join.versions if version > self._versions.get(name, version)]
        if ahead:
            what = f"A node that runs {', '.join(ahead)} has joined the cluster, and this one does not have that yet: it stopped before"
            raise ClusterError(f"{what}. Bring the program here to that version, and open the directory again.")

    def _hear_join(self, join: Join) -> None:
        """This one's, or that of one whose program may be another."""
        if join.node == self.id:
            self.running.saying.heard(self._tag)
            self._joined.set()
        elif self._joined.is_set() and join.source and self._program.source not in {b"", join.source}:
            log.warning("A node with another source of %s has joined: see to it that both make the same of a call.", self._program.domain)

    def passed(self, size: int, *, own: bool) -> None:
        """As Chores says."""
        self.running.comparing.passed(own=own)
        self.running.sharing.passed(size)

    def heard(self, word: Word) -> None:
        """As Chores says. Raises DivergenceError where this node's state is not what most nodes have."""
        if isinstance(word, Due):
            self.running.comparing.take_part(word)
        elif isinstance(word, Digest):
            self.running.comparing.judge(word)
        elif isinstance(word, Join):
            self._hear_join(word)

    def sealed(self, seal: Seal, sequence: int) -> Stream | None:
        """As Chores says. Raises ClusterError where the next stream is not the one that the seal names."""
        moving = self.running.moving
        return moving.here.stream if moving.sealed(seal, sequence) else None

    # --- any thread ------------------------------------------------------------------------------------------------------------

    def compare(self, timeout: float) -> Compared:
        """As Control.compare."""
        self.running.engine.refuse_inside("compare()")
        self._check_lives()
        return self.running.comparing.compare(timeout, self._check_lives)

    def share(self, lsn: int) -> None:
        """Send the snapshot at this LSN to the others: a new node begins with it. Raises ClusterError."""
        self.link.run(self.running.sharing.share(lsn), None)

    def prune(self, timeout: float, share: Callable[[], object]) -> list[str]:
        """As Control.prune_cluster. `share()`: as Control.share_snapshot."""
        self.running.engine.refuse_inside("prune_cluster()")
        self._check_lives()
        return self.running.pruning.prune(timeout, share, self._check_lives)

    # --- reads that wait -----------------------------------------------------------------------------------------------------

    def barrier(self, timeout: float | None = None) -> int:
        """Return when all that was acknowledged before this call is executed here, and calls of this node whose fate was unknown have one.

        Gives the LSN. Raises ClusterError, and UnconfirmedError where the cluster does not answer in time.
        """
        engine, publisher, entry = self.running.engine, self.running.publisher, Entry("", (), {}, b"", b"")
        engine.refuse_inside("barrier()")
        self._check_lives()
        deadline = time.monotonic() + (publisher.patience if timeout is None else timeout)
        while publisher.given_up():  # behind the barrier they could still happen
            self._check_lives()
            self._check_time(deadline)
            time.sleep(LOOK)
        signal = entry.begin_to_wait()
        publisher.offer(entry)
        while entry.outcome is PENDING:
            if timeout is not None:
                self._check_time(deadline)
            signal.acquire(timeout=WAKE)
        if type(entry.outcome) is Outcome:
            raise entry.outcome.error
        return engine.executed

    def _check_time(self, deadline: float) -> None:
        if time.monotonic() > deadline:
            what = f"The cluster at {self.addresses} did not answer in time{self._why()}"
            raise UnconfirmedError(f"{what}. Nothing was changed; ask again later.", lsn=self.running.engine.executed)

    def wait_for(self, lsn: int, timeout: float) -> int:
        """Return when this action was executed here; gives the LSN that it shows. Raises UnconfirmedError after so many seconds."""
        engine, deadline = self.running.engine, time.monotonic() + timeout
        while engine.executed < lsn:
            self._check_lives()
            if time.monotonic() >= deadline:
                what = f"The node shows LSN {engine.executed}, and not yet LSN {lsn} after {timeout:g} seconds{self._why()}"
                raise UnconfirmedError(f"{what}. Wait longer, or ask another node.", lsn=lsn)
            time.sleep(LOOK)
        return engine.executed

    # --- what can be asked ---------------------------------------------------------------------------------------------------

    @property
    def problem(self) -> str:
        """Why it does not take or send at the moment; empty while it does."""
        running = self._running
        if running is not None and running.engine.final is FAILED:
            return str(running.engine.refusal())
        if self.link.problem or running is None:
            return self.link.problem
        return running.moving.problem or running.moving.consumer.problem or running.watching.problem

    def _why(self) -> str:
        return f": {self.problem}" if self.problem else ""

    def stats(self) -> NodeStats:
        """As Peers says."""
        if self._running is None:
            return NodeStats(connected=False, problem=self.problem or "it has not begun yet")
        moving, publisher = self._running.moving, self._running.publisher
        consumer, (generation, sequence) = moving.consumer, self._running.engine.progress.last.place
        return NodeStats(
            connected=not self.problem,
            problem=self.problem,
            generation=generation,
            sequence=sequence,
            lag=max(consumer.following - 1 - sequence, 0) if consumer.generation == generation else 0,
            waiting=publisher.waiting,
            under_way=publisher.under_way,
            taken=self._running.taker.taken,
            published=publisher.published,
            republished=publisher.republished,
            refused=publisher.refused,
            reconnects=self.link.reconnects,
            consumers=moving.made + consumer.made,
            compared=self._running.comparing.compared,
            former=self._running.pruning.former,
        )

    # --- the end -------------------------------------------------------------------------------------------------------------

    def _fail(self, error: CoopyError) -> None:
        """It cannot go on. Whoever waits hears of it, and queries go on."""
        running = self.running
        running.publisher.stop(error)
        running.engine.stop_for(error)
        running.moving.consumer.end()
        log.error("The node in %s stopped: %s", running.system.archive.directory, error)

    def stop(self) -> None:
        """Send what waits, hear what becomes of it, within a limit; take no more. May be repeated."""
        running = self._running
        if running is not None:
            closed = running.engine.closed()
            running.publisher.refuse_more(closed)
            deadline = time.monotonic() + LEAVE
            while running.publisher.busy and running.engine.final is None and time.monotonic() < deadline and not self._stopping:
                time.sleep(LOOK)
            self._stopping = True
            running.moving.stop()
            running.taker.stop()
            running.publisher.stop(closed)
            running.system.snapshots.stop()  # one may be taken for the others
        self.link.close()
        if running is not None:
            running.comparing.stop()

    def _forked(self) -> None:
        """In a forked child: connection and threads are the parent's."""
        self._stopping, self._running = True, None
        self.link.abandon()


class _Running(msgspec.Struct, frozen=True):
    """The parts of a node that follows."""

    system: System
    engine: OrderedEngine
    moving: Moving
    publisher: Publisher
    taker: Taker
    saying: Saying
    comparing: Comparing
    sharing: Sharing
    pruning: Pruning
    watching: Watching
