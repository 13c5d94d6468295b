"""What has come goes to the engine, in its order, on one thread that no signal reaches. Those who wait for what is their own are told."""

from __future__ import annotations

import threading
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Protocol, TypeAlias

from coopy.action import Outcome
from coopy.cluster.beginnings import unsealed
from coopy.cluster.consumer import Came, End, Reply
from coopy.cluster.message import WORDS, Announced, Calls, Claim, Digest, Due, Join, Seal
from coopy.cluster.publisher import Packet
from coopy.engine.commit import PENDING
from coopy.engine.ordered import Message
from coopy.error import ClusterError, CoopyError, UnconfirmedError
from coopy.logs import logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.cluster.consumer import Arrived
    from coopy.cluster.stream import Stream
    from coopy.engine.ordered import OrderedEngine

__all__ = ["Taker"]

log = logger("cluster")
AT_ONCE = 64  # messages taken in one go
Word: TypeAlias = Announced | Claim | Due | Digest | Join | Seal  # what holds no calls


class _Some:
    """What is taken in one go. `word`: what the last of it says, where it holds no calls."""

    __slots__ = ("messages", "packets", "size", "word")

    def __init__(self) -> None:
        self.messages, self.packets, self.size = list[Message](), list[Packet](), 0
        self.word: Word | None = None


class Chores(Protocol):
    """What nodes do for each other beside the calls. All of it is called by the thread that takes; what it raises stops the node."""

    def joins(self, place: tuple[int, int], join: Join) -> None:
        """May a node begin to write, with the message of this generation and number? What was before it may not have been taken yet."""

    def passed(self, size: int, *, own: bool) -> None:
        """So many bytes of messages were taken, some of them this node's own."""

    def heard(self, word: Word) -> None:
        """All up to this was taken."""

    def sealed(self, seal: Seal, sequence: int) -> Stream | None:
        """All before the seal, which has this sequence, was taken. Gives the stream to go on with; None where it is over."""


class Taker:
    """Takes what is put into `arrived`, until that is None or an error.

    `node`: whose messages are this node's own; `mine(counter)`: who waits for one of them; `answer(reply)`: all before it was taken; `chores`: what else
    nodes say to each other; `failed(error)`: it cannot go on. All are called on its thread.
    """

    def __init__(  # noqa: PLR0913 - what it takes from, how it reads it, whom it tells
        self, engine: OrderedEngine, arrived: SimpleQueue[Arrived], stream: Stream, key: bytes, node: bytes, mine: Callable[[int], Packet | None],
        answer: Callable[[str], object], chores: Chores, failed: Callable[[CoopyError], object],
    ) -> None:  # fmt: skip
        self._engine, self._arrived, self._stream, self._key, self._node = engine, arrived, stream, key, node
        self._mine, self._answer, self._chores, self._failed = mine, answer, chores, failed
        self._thread = threading.Thread(target=self._take_all, name="coopy cluster take", daemon=True)
        self.taken = 0

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Take what has come, and end. May be repeated."""
        self._arrived.put(None)
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _take_all(self) -> None:
        try:
            while self._take_some():
                pass
        except CoopyError as error:
            self._failed(error)
        except BaseException as error:
            log.exception("What came from the stream %s could not be taken.", self._stream.name)
            self._failed(ClusterError(f"The node stopped: {type(error).__name__}: {error}. What it has is intact in its directory."))

    def _take_some(self) -> bool:
        """What has come, in one go. False at the end."""
        some = _Some()
        try:
            last = self._gather(some)
        finally:  # also what came before something that cannot be taken: there are those who wait for it
            self._give(some.messages, some.packets)
        if some.messages:
            self._chores.passed(some.size, own=bool(some.packets))
        if isinstance(last, Came):
            return self._obey(some.word, last.sequence)
        if isinstance(last, Reply):
            self._answer(last.subject)
        elif last is not None:
            raise last.error if isinstance(last, End) else last
        return last is not None

    def _obey(self, word: Word | None, sequence: int) -> bool:
        """What came last says this. Whether there is more to take."""
        if isinstance(word, Seal):
            there = self._chores.sealed(word, sequence)
            self._stream = there or self._stream
            return there is not None
        if word is not None:
            self._chores.heard(word)
        return True

    def _gather(self, some: _Some) -> Arrived:
        """What has come is read. Gives the last of it."""
        one = self._next(self._arrived.get)
        while isinstance(one, Came):
            self._read_into(some, one)
            if some.word is not None or len(some.messages) >= AT_ONCE:
                break
            try:
                one = self._next(self._arrived.get_nowait)
            except Empty:
                break
        return one

    def _next(self, get: Callable[[], Arrived]) -> Arrived:
        """The next that is not of a stream that was left."""
        while isinstance(one := get(), Came | Reply | End) and one.generation != self._stream.generation:
            pass
        return one

    def _read_into(self, some: _Some, came: Came) -> None:
        message, packet, some.word = self._read(came)
        some.size += len(came.data)
        if message is not None:
            some.messages.append(message)
        if packet is not None:
            some.packets.append(packet)

    def _give(self, messages: list[Message], packets: list[Packet]) -> None:
        try:
            self._engine.take(messages)
            for packet in packets:
                _let_pass(packet)
        finally:
            for packet in packets:
                _finish(packet)
        self.taken += len(messages)

    def _read(self, came: Came) -> tuple[Message | None, Packet | None, Word | None]:
        """One message, of our own who waits for it, and what it says where it holds no calls; a seal is taken apart. Raises ClusterError."""
        generation, sequence, data = came
        found = unsealed(self._stream.name, sequence, data, self._key)
        if isinstance(found, Calls):
            packet = self._mine(found.counter) if found.node == self._node else None
            own = [entry for entry in packet.entries if entry.word] if packet is not None else None
            calls = [(WORDS[code], payload) for code, payload in found.calls]
            times = found.time_us, found.utc_offset
            return Message(sequence, found.node, found.counter, found.settled, *times, calls, own, generation), packet, None
        if isinstance(found, Seal):
            return None, None, found
        if isinstance(found, Join):
            self._chores.joins((generation, sequence), found)
            return Message(sequence, found.node, 0, 0, 0, 0, (), generation=generation), None, found
        if isinstance(found, Announced | Claim | Due | Digest):
            return Message(sequence, b"", 0, 0, 0, 0, (), generation=generation), None, found
        what = f"Message {sequence} of the stream {self._stream.name} is the beginning of a shared journal, and stands within one"
        raise ClusterError(f"{what}. Nothing of it was taken.", sequence=sequence)


def _let_pass(packet: Packet) -> None:
    """A message of our own was taken, with all before it: its barriers have what they wait for."""
    for entry in packet.entries:
        if entry.outcome is PENDING and not entry.word:
            entry.outcome = None


def _finish(packet: Packet) -> None:
    """A message of our own came back: who waits for calls in it was told as they were executed, barriers are now."""
    for entry in packet.entries:
        if entry.outcome is PENDING:
            what = (
                "The call is in the stream, and this node did not execute it: it stopped, or was away for so long that the others forgot it"
            )
            entry.outcome = Outcome(UnconfirmedError(f"{what}. Open it again, and look at the state.", lsn=0))
        elif entry.word:
            continue
        entry.complete()
