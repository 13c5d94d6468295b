"""From calls that wait to messages in the stream, each exactly once, whatever becomes of the connection meanwhile.

    offer      a call waits; what waits when the publisher looks goes into one message, and several messages are under way at once
    under way  until it is known what became of it: the stream has it (it was acknowledged, or has come back), or a server refused it for certain.
               Where nobody says so, or the connection was lost, the same bytes go out again under the same id. That may be any number of times: the
               servers know it again for two minutes, and every node for ever (engine/progress.py)
    sealed     what the stream took behind its seal was never written. So all that has not come back when the seal was taken goes into the next one as if
               it had never been sent, before anything that waits, and no faster than that
    told       a caller that has waited for too long is told what is known: its call was never sent, so that it did not happen, or was sent, and then
               nobody knows. The message stays under way all the same

All but `offer` and `take` belongs to the link's thread. Where it stops, nothing waits for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from threading import Lock
from typing import TYPE_CHECKING, Any

import msgspec

from coopy.action import Outcome
from coopy.cluster import verdicts
from coopy.cluster.link import ASK_ADMIN, LostError
from coopy.cluster.message import CODES, FULL, LARGEST, Calls, seal, unseal
from coopy.engine.commit import PENDING, Entry, copy_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from nats.aio.msg import Msg

    from coopy.cluster.addresses import Addresses
    from coopy.cluster.beginnings import Beginnings
    from coopy.cluster.connection import Connection
    from coopy.cluster.link import Link
    from coopy.cluster.stream import Stream
    from coopy.error import CoopyError

__all__ = ["Packet", "Publisher"]

UNDER_WAY = 8  # messages at once
SPAN = 64  # messages from the oldest of them on
FRONT = LARGEST - FULL
EACH = 16  # bytes of a call beside its payload
MOST, MOST_BYTES = 65_536, 64 << 20  # calls, and bytes of them, that may wait
AGAIN = 2.0  # seconds after which a message goes out again
ELSEWHERE = 10.0  # seconds in which nothing was acknowledged, after which another server is tried: this one may be cut off from the others
TICK = 0.1
CERTAIN = {10002, 10077, 10047, 10054, 10060, 10122, 10053, 10023, 10028, 10025}  # what a stream's leader refuses, it did not store


class _Acknowledged(msgspec.Struct):
    """What the stream's leader says of a message. `seq`: its sequence, 0 where it was refused."""

    seq: int = 0
    duplicate: bool = False
    error: Any = None


_decode = msgspec.json.Decoder(_Acknowledged).decode


class Packet:
    """One message under way. `entries`: whose calls are in it, barriers too; `sent`: how often, to this stream; `last`: when, to any.

    `by`: the connection on which it went to this stream, as long as it was no other, and nothing was heard of it; `refused`: how often this stream's leader
    has refused it. `told`: who waits for it was told that it may happen yet; `called_off`: that it did not happen, or nobody is told any more: it is not to be
    sent.
    """

    __slots__ = ("begun", "by", "called_off", "counter", "data", "entries", "last", "refused", "sent", "told")

    def __init__(self, counter: int, begun: float) -> None:
        self.counter, self.begun, self.data, self.entries = counter, begun, b"", list[Entry]()
        self.last, self.sent, self.refused, self.told, self.called_off = 0.0, 0, 0, False, False
        self.by: Connection | None = None


class Publisher:
    """Of one opening of a node, whose id is `node`. `stamp()` gives the time and the zone's offset; `lost(error)` hears what no message survives.

    `patience`: seconds after which a caller is told; `refusal`: why no call is taken for now. `taken_here()`: up to which sequence this node has taken.
    `expect(sequence)` hears what the stream has.
    """

    def __init__(  # noqa: PLR0913 - what it takes to publish: where, as whom, stamped how
        self, link: Link, stream: Stream, node: bytes, key: bytes, stamp: Callable[[], tuple[int, int]], patience: float,
        lost: Callable[[CoopyError], object], taken_here: Callable[[], int], expect: Callable[[int], object],
    ) -> None:  # fmt: skip
        self._link, self._stream, self.node, self._key, self._stamp, self.patience = link, stream, node, key, stamp, patience
        self._lost, self._taken_here, self._expect = lost, taken_here, expect
        self.published = self.republished = self.refused = 0
        self.packets: dict[int, Packet] = {}  # by counter: what has not come back
        self._unknown: dict[int, Packet] = {}  # of these, those of which it is not known what becomes: sent to this stream, or about to be
        self._counter = 0
        self._waiting: deque[tuple[float, Entry]] = deque()
        self._bytes = 0
        self._guard = Lock()
        self._called = False
        self._promised: asyncio.AbstractEventLoop | None = None  # that will call when it comes round
        self._stopped: CoopyError | None = None
        self.refusal: CoopyError | None = None
        self._look = asyncio.Event()
        self._inbox = ""
        self._heard = 0.0  # when something was acknowledged last, or this server found, or this stream
        self._base = self._stream.subject("calls")

    # --- from any thread -------------------------------------------------------------------------------------------------

    def offer(self, entry: Entry) -> None:
        """Have it published. Raises NotSerializableError (too large for one message), ClusterError (too much waits): then it does not happen."""
        size = len(entry.payload) + EACH
        if size + FRONT > FULL:
            raise verdicts.too_large(entry.method, len(entry.payload), FULL - FRONT - EACH)
        with self._guard:
            if self._stopped is not None:
                raise copy_of(self._stopped)
            if self.refusal is not None and entry.word:
                raise copy_of(self.refusal)
            if len(self._waiting) >= MOST or self._bytes + size > MOST_BYTES:
                raise verdicts.too_many(self._link.addresses, len(self._waiting), self._why())
            self._bytes += size
            self._waiting.append((time.monotonic(), entry))
        if not self._called:
            self._call_for(entry)

    def _call_for(self, entry: Entry) -> None:
        """Have the link's thread look: at once where a thread waits; for a task when its loop has come round, so that those woken with it are in the message."""
        if entry.wake is not None:
            self._call()
            return
        loop = asyncio.get_running_loop()
        if self._promised is not loop:
            self._promised = loop
            loop.call_soon(self._keep_promise)

    def _keep_promise(self) -> None:
        self._promised = None  # before it calls: who comes later promises again
        self._call()

    def _call(self) -> None:
        if not self._called:
            self._called = True
            with contextlib.suppress(RuntimeError):  # the link was closed, and whoever waited was told
                self._link.soon(self._look.set)

    def take(self, counter: int) -> Packet | None:
        """Those who wait for a message of ours that has come back; None where it came before."""
        return self.packets.pop(counter, None)

    def given_up(self) -> list[Packet]:
        """Messages whose callers were told that they may happen yet, and that have not come back: that the stream has one may be behind its seal."""
        return [packet for packet in [*self.packets.values()] if packet.told]

    @property
    def busy(self) -> bool:
        """Whether anybody waits for anything."""
        return bool(self._waiting or self.packets)

    @property
    def waiting(self) -> int:
        """How many calls wait to be sent."""
        return len(self._waiting)

    @property
    def under_way(self) -> int:
        """Of how many messages it is not known yet what became of them."""
        return len(self._unknown)

    # --- on the link's thread ----------------------------------------------------------------------------------------------

    async def begin(self) -> None:
        """Begin to publish."""
        await self._listen()
        self._link.reconnected.append(self._begin_again)
        self._link.start(self._publish())
        self._link.start(self._watch())

    async def _publish(self) -> None:
        while True:
            await self._look.wait()
            self._look.clear()
            self._called = False  # before it looks: whoever comes later calls again
            while packet := self._next():
                await self._send(packet)

    @property
    def _oldest(self) -> int:
        """The first number of which it is not settled what becomes of it."""
        return next(iter(self._unknown), self._counter + 1)

    def _next(self) -> Packet | None:
        """What goes out now. What is under way is bounded, and so is what nodes remember of it: the numbers beyond the first that is not settled."""
        if not self._link.connected:
            return None
        unsent = next((packet for packet in self._unknown.values() if not packet.sent), None)
        number = unsent.counter if unsent else self._counter + 1
        if sum(packet.sent > 0 for packet in self._unknown.values()) >= UNDER_WAY or number - self._oldest > SPAN:
            return None
        return unsent or (self._pack() if self._waiting else None)

    def _pack(self) -> Packet:
        """What waits, as one message."""
        calls, size, waiting = list[tuple[int, bytes]](), 0, self._waiting
        settled = self._oldest - 1
        self._counter += 1
        packet = Packet(self._counter, time.monotonic())
        with self._guard:
            self.packets[packet.counter] = packet  # before it has what no longer waits: who stops all this finds each call in one of both
            while waiting:
                entry = waiting[0][1]
                more = len(entry.payload) + EACH
                if packet.entries and size + more > FULL:
                    break
                packet.entries.append(entry)
                waiting.popleft()
                size += more
                if entry.word:
                    calls.append((CODES[entry.word], entry.payload))
            self._bytes -= size
        time_us, offset = self._stamp()
        packet.data = seal(Calls(self.node, packet.counter, settled, time_us, offset, calls), self._key)
        self._unknown[packet.counter] = packet
        return packet

    async def _send(self, packet: Packet) -> None:
        import nats.errors

        before, packet.last = packet.last, time.monotonic()
        packet.sent += 1  # before it looks: who calls it off looks in the other order, so that one of both sees the other
        if packet.called_off:
            return
        headers = {"Nats-Msg-Id": f"{self.node.hex()}-{packet.counter}", "Nats-Expected-Stream": self._stream.name}
        used = self._link.used
        packet.by = used if packet.sent == 1 or packet.by is used else None
        used.denials.sent(self._base)
        try:
            reply = f"{self._inbox}.{self._stream.generation}.{packet.counter}"
            await used.client.publish(self._base, packet.data, reply=reply, headers=headers)
        except nats.errors.OutboundBufferLimitError:  # there is no connection: it was not sent
            packet.sent, packet.last = packet.sent - 1, before
            used.denials.answered(self._base)
            return
        except (nats.errors.Error, OSError):  # it may have been
            return
        if before:
            self.republished += 1
        else:
            self.published += 1

    async def _hear(self, used: Connection, message: Msg) -> None:
        """The stream's leader says what became of a message; or a server that there is no leader."""
        _, generation, counter = message.subject.rsplit(".", 2)
        is_here = int(generation) == self._stream.generation
        used.denials.answered(self._base if is_here else self._stream.of(int(generation)).subject("calls"))
        packet = self._unknown.get(int(counter))
        if packet is None or not is_here:
            return
        packet.by = None
        if message.headers and "Status" in message.headers:  # 503: it goes out again in a while
            return
        try:
            said = _decode(message.data)
        except msgspec.MsgspecError:
            return
        if said.seq:
            self._heard = time.monotonic()
            self._link.heard(self._base)
            self._expect(said.seq)
            if not said.duplicate and said.seq <= self._taken_here() and packet.counter in self.packets:
                self._lost(verdicts.gone_back(self._stream.name, said.seq, self._taken_here()))
            self._know(packet)
        elif isinstance(said.error, dict) and said.error.get("err_code") in CERTAIN:
            packet.refused += 1
            if packet.refused == packet.sent:  # each time that it was sent to this stream it was not stored
                self._refuse(packet, verdicts.refused(self._link.addresses, said.error))

    def _know(self, packet: Packet) -> None:
        self._unknown.pop(packet.counter, None)
        self._look.set()

    def _refuse_denied(self) -> None:
        """What went out on this connection only, and was denied there: for certain, as soon as all others that went there were answered."""
        used = self._link.used
        if not used.denials.denied_the_rest(self._base):
            return
        for packet in [*self._unknown.values()]:
            if packet.by is used:
                self._refuse(packet, verdicts.denied(self._link.addresses, self._base, ASK_ADMIN))

    def _refuse(self, packet: Packet, error: CoopyError) -> None:
        self.refused += 1
        self._give_back(packet, error)

    def _give_back(self, packet: Packet, error: CoopyError) -> None:
        """It is not in the stream, and will not be."""
        packet.called_off = True
        self.packets.pop(packet.counter, None)
        _tell(packet.entries, error)
        self._know(packet)

    async def _listen(self) -> None:
        used, self._heard = self._link.used, time.monotonic()
        self._inbox = used.client.new_inbox()

        async def hear(message: Msg) -> None:
            await self._hear(used, message)

        with contextlib.suppress(LostError):  # with the next connection it begins again
            await self._link.subscribe(f"{self._inbox}.>", hear)

    async def _begin_again(self) -> None:
        """There is a connection again: what was under way may have been lost with the one before."""
        await self._listen()
        await self._send_all()

    async def _send_all(self) -> None:
        for packet in [*self._unknown.values()]:
            if packet.sent:
                await self._send(packet)
        self._look.set()

    def move(self, there: Beginnings) -> None:
        """All before the seal of the stream was taken here, and no more of it ever is: what was not goes into this one."""
        self._stream, self._base = there.stream, there.stream.subject("calls")
        self._unknown = {**self.packets}
        settled = self._oldest - 1
        for packet in self._unknown.values():
            packet.data = _settled(packet.data, settled, self._key)
            packet.sent, packet.refused, packet.by = 0, 0, None
        self._heard = time.monotonic()  # this stream has as much time as another server
        self._look.set()

    async def _watch(self) -> None:
        """What nobody speaks of goes out again; whoever has waited too long is told."""
        while True:
            await asyncio.sleep(TICK)
            now = time.monotonic()
            if self._waiting and now - self._waiting[0][0] > TICK:  # a loop that was to call may be busy, or closed
                self._look.set()
            for packet in [*self._unknown.values()]:
                if packet.counter not in self.packets:  # it has come back
                    self._know(packet)
                elif packet.sent and now - packet.last > AGAIN and self._link.connected:
                    await self._send(packet)
            self._refuse_denied()
            self._try_elsewhere(now)
            self._tell_impatient(now)

    def _try_elsewhere(self, now: float) -> None:
        """A server that is cut off from the others, or has not found them again, still says that it lives: its word for that is not enough."""
        since = max(self._heard, min((packet.begun for packet in self._unknown.values()), default=now))
        if now - since > ELSEWHERE and self._link.connected:
            self._heard = now
            self._link.leave(f"in {ELSEWHERE:g} seconds it had nothing acknowledged")

    def _tell_impatient(self, now: float) -> None:
        for packet in [*self.packets.values()]:  # also those that the stream has, and that do not come back
            if packet.told or now - packet.begun < self.patience:
                continue
            if packet.sent:
                packet.told = True
                _tell(packet.entries, self._after_waiting(verdicts.not_known if packet.counter in self._unknown else verdicts.not_here))
            else:
                self._give_back(packet, self._after_waiting(verdicts.not_sent))
        late = list[Entry]()
        with self._guard:
            while self._waiting and now - self._waiting[0][0] > self.patience:
                _, entry = self._waiting.popleft()
                self._bytes -= len(entry.payload) + EACH
                late.append(entry)
        if late:
            _tell(late, self._after_waiting(verdicts.not_sent))

    def _after_waiting(self, verdict: Callable[[Addresses, float, str], CoopyError]) -> CoopyError:
        return verdict(self._link.addresses, self.patience, self._why())

    def _why(self) -> str:
        denied = f"the servers do not let this user publish to {self._base}" if self._link.denies(self._base) else ""
        why = denied or self._link.problem
        return f" ({why})" if why else ""

    # --- the end -----------------------------------------------------------------------------------------------------------

    def stop(self, error: CoopyError) -> None:
        """Take no more, and tell whoever waits. Any thread may call it; what is under way stays so as long as the link lives."""
        with self._guard:
            if self._stopped is None:
                self._stopped = error
            never = [entry for _, entry in self._waiting]
            self._waiting.clear()
            self._bytes = 0
        _tell(never, error)
        for packet in [*self.packets.values()]:
            packet.called_off = True
            if packet.sent:
                _tell(packet.entries, verdicts.stopped(error))
            else:
                _tell(packet.entries, error)

    def refuse_more(self, error: CoopyError) -> None:
        """Take no more; what waits goes on."""
        with self._guard:
            if self._stopped is None:
                self._stopped = error


def _settled(data: bytes, settled: int, key: bytes) -> bytes:
    """A message of calls that says otherwise up to which number it is known what became of them: what a stream had behind its seal is not any more."""
    found = unseal(data, key)
    assert isinstance(found, Calls)
    return seal(msgspec.structs.replace(found, settled=settled), key)


def _tell(entries: list[Entry], error: CoopyError) -> None:
    for entry in entries:
        if entry.outcome is PENDING:
            entry.outcome = Outcome(copy_of(error))
            entry.complete()
