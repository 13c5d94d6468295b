"""A node of a cluster: a system whose actions are ordered by a stream. Puts together the link, the stream, what publishes and what takes.

    connect    the servers, before anything of the directory is touched
    fetch      an empty directory gets the cluster's state; the first node of all begins the stream, with its own
    follow     is it the stream that this directory is of, do the servers keep what they acknowledge -> take what came meanwhile -> join
    take       what comes goes to the engine, on a thread of its own
    stop       what waits to be sent is sent, within a limit; then the connection goes

What cannot go on stops the node, for good: its queries go on, calls raise why.
"""

from __future__ import annotations

import logging
import math
import secrets
import threading
import time
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

import asyncio

import msgspec

from coopy.cluster.consumer import Consumer
from coopy.cluster.durable import prove
from coopy.cluster.link import Link, LostError
from coopy.cluster.message import WORDS, Announced, Calls, Genesis, Join, keyed, seal, unseal
from coopy.cluster.publisher import FULL, Packet, Publisher
from coopy.cluster.store import Store, Stored
from coopy.cluster.stream import Stream
from coopy.disk import after_fork_in_child
from coopy.engine.beside import WAKE
from coopy.engine.commit import PENDING, Entry
from coopy.engine.founding import first_snapshot, install, new_identity
from coopy.engine.ordered import Message, OrderedEngine
from coopy.engine.gate import FORKED
from coopy.error import ClosedError, ClusterError, CoopyError, DurabilityError, UnconfirmedError, UsageError
from coopy.snapshot import temporary_path
from coopy.action import Outcome

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Sequence

    from coopy.cluster.addresses import Addresses
    from coopy.cluster.consumer import Arrived
    from coopy.cluster.stream import About
    from coopy.engine.opening import Place
    from coopy.engine.system import System

__all__ = ["Node", "Program"]

log = logging.getLogger("coopy.cluster")
AT_ONCE = 64  # messages taken in one go
PATIENCE = 30.0  # seconds that a caller waits for a cluster that does not answer
PAUSE = 0.5  # seconds before a question is asked again


class Program(msgspec.Struct, frozen=True):
    """What runs on a node: the class, "module:Name"; the versions that it declares, by class; a hash of its source, empty where that is not known."""

    domain: str
    versions: tuple[tuple[str, int], ...] = ()
    source: bytes = b""


class Node:
    """One opening of one node. `problem`: why it does not take or send at the moment, empty while it does."""

    def __init__(  # noqa: PLR0913 - where the cluster is, which of its systems, what runs here
        self, addresses: Addresses, tls: ssl.SSLContext | None, name: str, program: Program, key: bytes, *, assume_durable: bool,
        patience: float = PATIENCE,
    ) -> None:  # fmt: skip
        self.addresses, self._program, self._key, self._assume_durable, self.patience = addresses, program, key, assume_durable, patience
        self.link = Link(addresses, tls)
        self.stream = Stream(self.link, name, assume_durable=assume_durable)
        self.store = Store(self.stream)
        self.id = secrets.token_bytes(16)
        self._arrived: SimpleQueue[Arrived] = SimpleQueue()
        self._joined = threading.Event()
        self._created = ""
        self._messages_key = b""
        self._stopping = False
        self.taken = 0
        self.publisher: Publisher | None = None
        self.consumer: Consumer | None = None
        self._system: System | None = None
        self._thread: threading.Thread | None = None

    # --- before the directory ----------------------------------------------------------------------------------------------

    def connect(self) -> None:
        """Find a server. Raises ClusterError, AuthenticationError, UsageError."""
        self.link.open()

    def fetch(self, place: Place, initial: Callable[[object], bytes]) -> None:
        """Make an empty directory that of a node: with the cluster's state, or where nobody has begun with this one's."""
        genesis = self.link.run(self._genesis())
        if genesis is None:
            self._begin(place, initial)
            genesis = self.link.run(self._genesis())
        if genesis is None:
            raise ClusterError(f"The stream {self.stream.name} has no first message, though one was put there. Nothing was changed.")
        self._check_domain(genesis, place)
        path = temporary_path(place.directory, 0)
        stored = Stored(genesis.snapshot, genesis.digest, genesis.size)
        self.link.run(self.store.get(stored, place.disk, path), None)
        install(place, self.stream.name, path)

    def _begin(self, place: Place, initial: Callable[[object], bytes]) -> None:
        """Put the initial state in place, and a first message in the stream that names it. Another node may be faster."""
        if not self._assume_durable:
            prove(self.addresses, None)
        identity = new_identity(place)
        path = first_snapshot(place, identity, initial)
        try:
            self.link.run(self.stream.create())
            stored = self.link.run(self.store.put(place.disk, path), None)
        finally:
            place.disk.unlink(path)
        genesis = Genesis(identity.system, identity.secret, identity.domain, stored.name, stored.digest, stored.size)
        first = self.link.run(self._publish_first(seal(genesis, keyed(b"", self._key)), identity.system.hex()))
        if not first:
            log.info("Another node has begun the stream %s: its state is taken.", self.stream.name)
            self.link.run(self.store.drop(stored))

    async def _publish_first(self, data: bytes, tag: str) -> bool:
        """Until it is known that there is one. Whether it is this one."""
        deadline = time.monotonic() + self.patience
        while True:
            try:
                await self.stream.begin(data, tag)
                return await self.stream.get(1) == data
            except LostError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(PAUSE)

    async def _genesis(self) -> Genesis | None:
        """What the stream begins with; None where there is no stream, or nothing in it. Raises ClusterError."""
        about = await self.stream.look()
        if about is None or about.last == 0:
            return None
        data = await self.stream.get(1)
        if data is None:
            raise ClusterError(f"The stream {self.stream.name} does not hold its first message any more: it was damaged. Nothing was changed.", sequence=1)
        message = self._unsealed(1, data, keyed(b"", self._key))
        if not isinstance(message, Genesis):
            raise ClusterError(f"The stream {self.stream.name} does not begin as a shared journal of coopy's does. Nothing was changed.", sequence=1)
        return message

    def _check_domain(self, genesis: Genesis, place: Place) -> None:
        if place.domain and not place.names.lead(genesis.domain, place.domain):
            what = f"The cluster {self.stream.short!r} at {self.addresses} holds a {genesis.domain}, not a {place.domain}. Nothing was changed"
            raise UsageError(f"{what}. Open it with that class, or choose another name=.", option="name")

    def _unsealed(self, sequence: int, data: bytes, key: bytes) -> Any:
        try:
            return unseal(data, key)
        except ClusterError as error:
            what = f"Message {sequence} of the stream {self.stream.name} cannot be taken: {error}. Somebody else may have put it there"
            raise ClusterError(f"{what}. Nothing of it was taken, and what is here is intact.", sequence=sequence) from error

    # --- with the directory ------------------------------------------------------------------------------------------------

    def follow(self, system: System) -> None:
        """Take what came, join, and go on. Raises ClusterError where the stream is not this directory's, or not kept as it must be."""
        engine = system.engine
        assert isinstance(engine, OrderedEngine)
        self._system, archive = system, system.archive
        self._messages_key = keyed(archive.identity.secret, archive.key)
        self._peers_are_durable()
        last = engine.progress.last
        following = last.sequence if engine.progress.missing(engine.journal.lsn) else last.sequence + 1
        self.consumer = Consumer(self.link, self.stream, following, self._arrived, self._verify)
        self.publisher = Publisher(
            self.link, self.stream, self.id, self._messages_key, self._stamp, self.patience, self._arrived.put, lambda: engine.progress.last.sequence
        )
        self._thread = threading.Thread(target=self._take_all, name="coopy cluster take", daemon=True)
        after_fork_in_child(self._forked)
        self._thread.start()
        self.link.run(self.consumer.begin())
        self.link.run(self.publisher.begin())
        self._join()
        engine.offer, engine.barrier = self.publisher.offer, self.barrier

    def _peers_are_durable(self) -> None:
        about = self.link.run(self.stream.look())
        if about is None:
            raise ClusterError(f"The stream {self.stream.name} is not there (any more). It is not made again: what it held is in the nodes' directories.")
        self._created = about.created
        if not self._assume_durable:
            prove(self.addresses, about.peers)

    async def _verify(self, about: About) -> None:
        """Is it the stream that was taken so far? Raises ClusterError, and LostError where the answer is no evidence."""
        assert self._system is not None
        archive, engine = self._system.archive, self._system.engine
        assert isinstance(engine, OrderedEngine)
        name = self.stream.name
        if about.created != self._created or about.deleted or about.first > 1:
            how = f"{about.deleted} messages were deleted" if about.deleted else "it was made anew" if about.created != self._created else f"it begins with message {about.first}"
            raise ClusterError(f"The stream {name} is not what it was: {how}. What this node has is intact in its directory.")
        genesis = await self._genesis()
        if genesis is None or genesis.system != archive.identity.system:
            raise ClusterError(f"The stream {name} is another system's than {archive.directory} is. Nothing was changed.")
        await self._verify_last(about, engine)

    async def _verify_last(self, about: About, engine: OrderedEngine) -> None:
        """The message that was taken last is there, and is that one."""
        assert self.consumer is not None
        last = engine.progress.last
        if about.last < last.sequence or last.sequence == 1:
            if about.last < last.sequence:  # a leader that was cut off may not know better: time will tell
                raise LostError(f"The stream {self.stream.name} ends with message {about.last} there, and {last.sequence} was taken here.")
            return
        data = await self.stream.get(last.sequence)
        if data is None:
            raise ClusterError(f"Message {last.sequence} of the stream {self.stream.name}, which was taken here, is not there any more: it is damaged.", sequence=last.sequence)
        message = self._unsealed(last.sequence, data, self._messages_key)
        node, counter = getattr(message, "node", b""), getattr(message, "counter", 0)
        if (node, counter) != (last.node, last.counter):
            what = f"Message {last.sequence} of the stream {self.stream.name} is not the one that was taken here: this is another history"
            raise ClusterError(f"{what}. The node stopped; what it has is intact in its directory.", sequence=last.sequence)

    def _join(self) -> None:
        """Say that this node begins to write, and wait until all before that was taken here."""
        versions = [*self._program.versions]
        data = seal(Join(self.id, self._program.domain, versions, self._program.source), self._messages_key)
        self.link.run(self._publish_join(data), None)
        while not self._joined.wait(WAKE):
            self._check_lives()

    async def _publish_join(self, data: bytes) -> None:
        deadline, headers = time.monotonic() + self.patience, {"Nats-Msg-Id": f"{self.id.hex()}-0"}
        while True:
            try:
                await self.stream.put("join", data, headers)
            except LostError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(PAUSE)
            else:
                return

    def _check_lives(self) -> None:
        assert self._system is not None
        engine = self._system.engine
        if engine.final is not None:
            raise engine.refusal()

    def _stamp(self) -> tuple[int, int]:
        """The time and the local zone's offset, as any system stamps its actions."""
        assert self._system is not None
        engine = self._system.engine
        now = engine.wall() // 1000
        if now >= engine.zone_ends or now < engine.zone_ends - (1 << 40):
            engine.look_up_zone(now)
        return now, engine.utc_offset

    # --- what comes ----------------------------------------------------------------------------------------------------------

    def _take_all(self) -> None:
        """The thread that takes. No signal reaches it."""
        try:
            while self._take_some():
                pass
        except CoopyError as error:
            self._stop_for(error)
        except BaseException as error:  # noqa: BLE001 - nobody calls this thread: whoever waits hears of it
            what = f"The node stopped: {type(error).__name__}: {error}. What it has is intact in its directory."
            self._stop_for(ClusterError(what))
            log.exception("What came from the stream %s could not be taken.", self.stream.name)

    def _take_some(self) -> bool:
        """What has come, in one go. False at the end."""
        messages, packets, reply = list[Message](), list[tuple[Packet, Message]](), ""
        one = self._arrived.get()
        while type(one) is tuple:
            sequence, data = one
            if not sequence:
                reply = data.decode()
            else:
                message, packet = self._read(sequence, data)
                messages.append(message)
                if packet is not None:
                    packets.append((packet, message))
            if reply or len(messages) >= AT_ONCE:
                break
            try:
                one = self._arrived.get_nowait()
            except Empty:
                break
        if messages:
            self._give(messages, packets)
        if reply and self.consumer is not None:
            self.consumer.taken(reply)
        if isinstance(one, CoopyError):
            raise one
        return one is not None

    def _give(self, messages: list[Message], packets: list[tuple[Packet, Message]]) -> None:
        assert self._system is not None
        engine = self._system.engine
        assert isinstance(engine, OrderedEngine)
        try:
            engine.take(messages)
        finally:
            for packet, _ in packets:
                self._finish(packet, engine)
        self.taken += len(messages)

    def _finish(self, packet: Packet, engine: OrderedEngine) -> None:
        """Those who wait for a message of ours that came back: what was executed was told, barriers are now."""
        packet.taken = True
        for entry in packet.entries:
            if entry.outcome is not PENDING:
                continue
            if not entry.word and engine.final is None:
                entry.outcome = None
            else:
                what = "The call is in the stream, and this node did not execute it: it was away for so long that the others forgot it, or it stopped"
                entry.outcome = Outcome(UnconfirmedError(f"{what}. Open it again, and look at the state.", lsn=0))
            entry.complete()

    def _read(self, sequence: int, data: bytes) -> tuple[Message, Packet | None]:
        """One message, and of our own who waits for it. Raises ClusterError."""
        found = self._unsealed(sequence, data, self._messages_key)
        if isinstance(found, Calls):
            packet = self.publisher.take(found.counter) if found.node == self.id and self.publisher is not None else None
            calls = [(WORDS[code], payload) for code, payload in found.calls]
            own = [entry for entry in packet.entries if entry.word] if packet is not None else None
            return Message(sequence, found.node, found.counter, found.settled, found.time_us, found.utc_offset, calls, own), packet
        if isinstance(found, Join):
            self._hear_of(found)
            return Message(sequence, found.node, 0, 0, 0, 0, ()), None
        if isinstance(found, Announced):
            return Message(sequence, b"", 0, 0, 0, 0, ()), None
        raise ClusterError(f"Message {sequence} of the stream {self.stream.name} is the beginning of a shared journal, and stands within one.", sequence=sequence)

    def _hear_of(self, join: Join) -> None:
        """A node begins to write: this one, or one whose program may be another."""
        if join.node == self.id:
            self._joined.set()
            return
        if not self._joined.is_set():
            return
        mine, theirs = self._program, join
        if mine.source and theirs.source and mine.source != theirs.source:
            log.warning("A node with another source of %s has joined: see to it that both give the same states.", mine.domain)

    # --- reads that wait -----------------------------------------------------------------------------------------------------

    def barrier(self, timeout: float | None = None) -> int:
        """Return when all that was committed before this call is executed here; gives the LSN. Raises ClusterError, UnconfirmedError."""
        assert self._system is not None
        engine = self._system.engine
        engine.refuse_inside("barrier()")
        entry = self.offer_barrier(None)
        signal, deadline = entry.begin_to_wait(), math.inf if timeout is None else time.monotonic() + timeout
        while entry.outcome is PENDING:
            if time.monotonic() > deadline:
                raise UnconfirmedError(f"The cluster at {self.addresses} did not answer in {timeout:g} seconds{self._why()}.", lsn=engine.executed)
            signal.acquire(timeout=WAKE)
        if type(entry.outcome) is Outcome:
            raise entry.outcome.error
        return engine.executed

    def offer_barrier(self, listen: Callable[[Entry], Callable[[], None]] | None) -> Entry:
        """The same without waiting: the entry has its outcome then. `listen`: as SharedEngine.post says."""
        self._check_lives()
        assert self.publisher is not None
        entry = Entry("", (), {}, b"", b"")
        if listen is not None:
            entry.complete = listen(entry)
        self.publisher.offer(entry)
        return entry

    def wait_for(self, lsn: int, timeout: float) -> int:
        """Return when this action was executed here; gives the LSN that it shows. Raises UnconfirmedError after so many seconds."""
        assert self._system is not None
        engine, deadline = self._system.engine, time.monotonic() + timeout
        while engine.executed < lsn:
            self._check_lives()
            if time.monotonic() >= deadline:
                what = f"The node shows LSN {engine.executed}, and not yet LSN {lsn} after {timeout:g} seconds{self._why()}"
                raise UnconfirmedError(f"{what}. Wait longer, or ask another node.", lsn=lsn)
            time.sleep(0.001)
        return engine.executed

    # --- what can be asked ---------------------------------------------------------------------------------------------------

    @property
    def problem(self) -> str:
        """Why it does not take or send at the moment; empty while it does."""
        consumer = self.consumer.problem if self.consumer is not None else ""
        return self.link.problem or consumer

    def _why(self) -> str:
        return f": {self.problem}" if self.problem else ""

    def stats(self) -> dict[str, float]:
        """Numbers about this run of the node: `sequence` of the last message taken, and `lag`, how many have come and were not taken yet."""
        publisher, consumer, system = self.publisher, self.consumer, self._system
        if publisher is None or consumer is None or system is None or not isinstance(system.engine, OrderedEngine):
            return {}
        sequence = system.engine.progress.last.sequence
        return {
            "connected": int(not self.problem),
            "reconnects": self.link.reconnects,
            "sequence": sequence,
            "lag": max(consumer.following - 1 - sequence, 0),
            "waiting": publisher.waiting,
            "under_way": publisher.under_way,
            "messages_taken": self.taken,
            "messages_published": publisher.published,
            "messages_republished": publisher.republished,
            "messages_refused": publisher.refused,
            "consumers": consumer.made,
        }

    # --- the end -------------------------------------------------------------------------------------------------------------

    def _stop_for(self, error: CoopyError) -> None:
        """It cannot go on. Whoever waits hears of it, and queries do."""
        if self.publisher is not None:
            self.publisher.stop(error)
        if self._system is not None and isinstance(self._system.engine, OrderedEngine):
            self._system.engine.stop_for(error)
            log.error("The node in %s stopped: %s", self._system.archive.directory, error)

    def stop(self) -> None:
        """Send what waits, hear what becomes of it, within a limit; take no more. May be repeated."""
        closed = ClosedError("The system is closed: open it again with init_system.")
        if self.publisher is not None and not self._stopping:
            self._stopping = True
            self.publisher.refuse_more(closed)
            deadline = time.monotonic() + min(self.patience, 10.0)
            while (self.publisher.packets or self.publisher.waiting) and time.monotonic() < deadline and self._lives():
                time.sleep(0.002)
        self._arrived.put(None)
        if self._thread is not None and self._thread.is_alive():
            self._thread.join()
        if self.publisher is not None:
            self.publisher.stop(closed)
        self.link.close()

    def _lives(self) -> bool:
        return self._system is not None and self._system.engine.final is None

    def _forked(self) -> None:
        """In a forked child: connection and threads are the parent's."""
        self._stopping, self._thread, self.publisher = True, None, None
        self.link.abandon()
