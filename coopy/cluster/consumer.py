"""The stream in its order, from a sequence on: what comes is handed over as it is, and nothing is left out.

A consumer at the servers pushes messages. It lives as long as this connection; where it falls silent, is lost, or leaves one out, another is made from
the next sequence on. Whether the stream is still the one that was taken so far is asked before: it holds the last message that was taken, its history
begins where it did, and nothing was deleted. A consumer that leaves one out twice is damage: the node stops.

All of this belongs to the link's thread; what has come is put into `arrived` for another one.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from coopy.cluster.beginnings import BehindError
from coopy.cluster.link import PATIENCE, PAUSE, DeniedError, Hurry, LostError, RefusedError
from coopy.cluster.stream import NODE
from coopy.error import ClusterError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from queue import SimpleQueue

    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription

    from coopy.cluster.link import Link
    from coopy.cluster.stream import About, Stream
    from coopy.error import CoopyError

__all__ = ["Arrived", "Came", "Consumer", "End", "Reply"]

HEARTBEAT = 1.0  # seconds between two signs of life of a consumer that has nothing to push
SILENT = 3.5  # seconds without one, after which it counts as lost
GONE = 60_000_000_000  # nanoseconds after which the servers forget a consumer that nobody hears
SOON = 1.0  # seconds to make one, at first: nobody answers where it was to live on a server that is away, and the next may not
LATE = 10.0  # seconds after which what the stream has is to be here
BUFFER = 256 << 20
SHORT_REPLY = 9  # parts of the reply that names a message's sequence; newer servers add three


class Came(NamedTuple):
    """A message of the stream."""

    generation: int
    sequence: int
    data: bytes


class Reply(NamedTuple):
    """The server wants to hear there that all before was taken: call `taken(subject)`."""

    generation: int
    subject: str


class End(NamedTuple):
    """The consumer of this stream cannot go on."""

    generation: int
    error: CoopyError


Arrived: TypeAlias = "Came | Reply | End | CoopyError | None"  # an error: the node cannot go on, in whatever stream; None: it is over


class Consumer:
    """Puts the messages into `arrived`, in order, and what else comes between them.

    `verify(about)` raises ClusterError where the stream is not the one that was taken so far. `problem`: why nothing comes; `made`: how many consumers it had.
    """

    def __init__(
        self, link: Link, stream: Stream, node: bytes, following: int, arrived: SimpleQueue[Arrived],
        verify: Callable[[About], Awaitable[None]],
    ) -> None:  # fmt: skip
        self._link, self._stream, self._node, self._next, self._arrived, self._verify = link, stream, node, following, arrived, verify
        self._subscription: Subscription | None = None
        self._watching: asyncio.Task[None] | None = None
        self._number = 0
        self._heard = 0.0
        self._left_out = -1
        self._hurry = Hurry(link, SOON)
        self._over = False
        self._expected, self._since = 0, 0.0  # what the stream has, and since when that is known, or something came
        self._again = asyncio.Event()
        self.problem = "it has not begun yet"
        self.made = 0

    @property
    def generation(self) -> int:
        """The stream's."""
        return self._stream.generation

    @property
    def following(self) -> int:
        """The sequence that comes next."""
        return self._next

    async def begin(self) -> None:
        """Begin, and see to it that it goes on. Raises ClusterError where the stream cannot be used as it is."""
        await self._link.again(self._make, PATIENCE)
        self._go_on()

    async def _look_again(self) -> None:
        self._again.set()

    async def _watch(self) -> None:
        """Have another one made where this one is lost. Damage ends it."""
        while True:
            try:
                await asyncio.wait_for(self._again.wait(), HEARTBEAT)
            except TimeoutError:
                if time.monotonic() - self._heard < SILENT and not self._is_late():
                    continue
            self._again.clear()
            if not self._link.connected:
                continue
            try:
                await self._make()
            except (LostError, RefusedError, DeniedError, BehindError) as error:
                self.problem = str(error)
                await asyncio.sleep(PAUSE)
                self._again.set()
            except ClusterError as error:
                self.problem = str(error)
                self._arrived.put(End(self.generation, error))
                return

    def begin_soon(self) -> None:
        """Begin, as soon as that is possible."""
        self._again.set()
        self._go_on()

    def _go_on(self) -> None:
        if self._over:  # all that it gave is taken already, to the seal of the stream
            return
        self._link.reconnected.append(self._look_again)
        self._watching = self._link.start(self._watch())

    def expect(self, sequence: int) -> None:
        """The stream has this message. A consumer may live where it does not arrive, and go on to say that it lives."""
        if self._expected < self._next <= sequence:
            self._expected, self._since = sequence, time.monotonic()

    def _is_late(self) -> bool:
        if self._next > self._expected or time.monotonic() - self._since < LATE:
            return False
        self._since = time.monotonic()  # another one has as much time
        return True

    def end(self) -> None:
        """Take no more, and let the servers know. Any thread may call it."""
        self._link.soon(lambda: self._link.start(self.stop()))

    async def stop(self) -> None:
        """As `end`; it has ended when this returns."""
        self._over = True
        self._number += 1
        if self._look_again in self._link.reconnected:
            self._link.reconnected.remove(self._look_again)
        if self._watching is not None:
            self._watching.cancel()
        if self._subscription is not None:
            await _let_go(self._subscription)

    async def _make(self) -> None:
        """One that begins with the next sequence."""
        if self._subscription is not None:
            old, self._subscription = self._subscription, None
            await _let_go(old)
        about = await self._stream.look()
        if about is None:
            raise ClusterError(f"The stream {self._stream.name} is gone{await self._gone_on()}")
        await self._verify(about)
        self._number += 1
        number, inbox = self._number, self._link.client.new_inbox()

        async def hear(message: Msg) -> None:
            if number == self._number:
                self._hear(message)

        self._subscription = await self._link.subscribe(inbox, hear, pending_msgs_limit=1 << 20, pending_bytes_limit=BUFFER)
        config = {
            "deliver_subject": inbox, "deliver_policy": "by_start_sequence", "opt_start_seq": self._next, "ack_policy": "none", "max_deliver": 1,
            "replay_policy": "instant", "flow_control": True, "idle_heartbeat": int(HEARTBEAT * 1e9), "inactive_threshold": GONE,
            "num_replicas": 1, "mem_storage": True, "metadata": {NODE: self._node.hex()},
        }  # fmt: skip
        await self._hurry.ask(f"CONSUMER.CREATE.{self._stream.name}", {"stream_name": self._stream.name, "config": config})
        self.made += 1
        self._heard, self.problem = time.monotonic(), ""

    async def _gone_on(self) -> str:
        """What there is in its place."""
        later = [one for one in await self._stream.generations() if one > self._stream.generation]
        if not later:
            return ". It is not made again: what it held is in the nodes' directories."
        goes_on = f", and {self._stream.of(later[-1]).name} goes on: this node was away for too long to follow it. What it has is intact"
        return f"{goes_on}. Open it again: it begins with a snapshot of the cluster's, and what it has goes to quarantine/."

    def _hear(self, message: Msg) -> None:
        self._heard = time.monotonic()
        headers = message.headers
        if headers and headers.get("Status") == "100":
            self._hear_sign(message, headers)
            return
        parts = message.reply.split(".")
        sequence = int(parts[5] if len(parts) == SHORT_REPLY else parts[7])
        if sequence == self._next:
            self._next, self._since = sequence + 1, self._heard
            self._arrived.put(Came(self.generation, sequence, message.data))
        elif sequence > self._next:
            self._miss(sequence)

    def _hear_sign(self, message: Msg, headers: dict[str, str]) -> None:
        """It lives; it may want an answer, or say that it has pushed what did not come here."""
        reply = message.reply or headers.get("Nats-Consumer-Stalled", "")
        if reply:
            self._arrived.put(Reply(self.generation, reply))
        last = headers.get("Nats-Last-Stream", "")
        if last.isdigit() and int(last) >= self._next:
            self._number += 1  # what it still pushes is not heard
            self._again.set()

    def _miss(self, sequence: int) -> None:
        """Something between was not pushed, or lost on the way: another consumer may have it."""
        self._number += 1
        if self._left_out == self._next:
            what = f"Message {self._next} of the stream {self._stream.name} is missing: behind it came {sequence}, twice. What was acknowledged is damaged there"
            error = ClusterError(
                f"{what}. The node stopped before it; what it has is intact. Have the stream's leader step down, and open the node again.",
                sequence=self._next,
            )
            self.problem = str(error)
            self._arrived.put(End(self.generation, error))
            return
        self._left_out = self._next
        self._again.set()

    def taken(self, reply: str) -> None:
        """All before this was taken: the server may push more. Any thread may call it."""
        self._link.soon(lambda: self._link.start(self._answer(reply)))

    async def _answer(self, reply: str) -> None:
        import nats.errors

        try:
            await self._link.client.publish(reply, b"")
        except (nats.errors.Error, OSError):
            self._again.set()  # with the connection the consumer may be lost, too


async def _let_go(subscription: Subscription) -> None:
    import nats.errors

    try:
        await subscription.unsubscribe()
    except (nats.errors.Error, OSError):  # its connection is gone, and it with it
        return
