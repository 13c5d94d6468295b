"""A network in memory: bytes that take their time, connections that end, and such that say nothing any more.

What must never happen here: bytes of one connection that overtake each other, or come twice (TCP sees to that). Anything else may.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from coopy.replication.wire import LostError

if TYPE_CHECKING:
    import random

    from coopy.replication.shipping import Shipping
    from coopy.replication.taking import Taking
    from tests.simulation.machine import Machine


class Pipe:
    """One direction. `left`: bytes until the connection breaks, where it does; `silent`: nothing arrives any more, and nobody is told.

    `damage`: one bit of what is sent next does not arrive as it was; `damaged`: it has been so.
    """

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._queue: deque[tuple[float, bytes]] = deque()
        self._ready_at = 0.0
        self.waiting = 0
        self.left: int | None = None
        self.silent = self.ended = self.damage = self.damaged = False

    def put(self, data: bytes, now: float) -> None:
        """Send."""
        if not data or self.silent or self.ended:
            return
        if self.damage:
            place = self._dice.randrange(len(data))
            data = data[:place] + bytes((data[place] ^ (1 << self._dice.randrange(8)),)) + data[place + 1 :]
            self.damage, self.damaged = False, True
        if self.left is not None:
            data, self.left = data[: self.left], max(self.left - len(data), 0)
        self._ready_at = max(self._ready_at, now + self._dice.choice((0, 0, 0, 0.001, 0.01, 0.05)))
        self._queue.append((self._ready_at, data))
        self.waiting += len(data)
        self.ended = self.left == 0

    def get(self, now: float) -> bytes:
        """What arrives now, all of it or a part. Raises LostError where the connection has ended and everything before it has come."""
        out = bytearray()
        while self._queue and self._queue[0][0] <= now and not self.silent:
            out += self._queue.popleft()[1]
        if self.ended and not out and not self._queue and not self.silent:
            raise LostError("The connection ended.")
        if len(out) > 1 and self._dice.random() < 0.3:
            stop = self._dice.randrange(1, len(out))
            self._queue.appendleft((now, bytes(out[stop:])))
            del out[stop:]
        self.waiting -= len(out)
        return bytes(out)

    def end(self, *, at_once: bool) -> None:
        """Say no more. `at_once`: what is under way is lost, too."""
        self.ended = True
        if at_once:
            self._queue.clear()
            self.waiting = 0


class Line:
    """A connection of a replica with a primary. A side that is None has let go of it."""

    def __init__(self, dice: random.Random, replica: Machine, taking: Taking, primary: Machine, shipping: Shipping) -> None:
        self.up, self.down = Pipe(dice), Pipe(dice)
        self.replica, self.primary = replica, primary
        self.taking: Taking | None = taking
        self.shipping: Shipping | None = shipping
        self.boots = replica.boots, primary.boots
        self.follows = False

    def is_over(self) -> bool:
        """Whether nobody holds it any more."""
        return self.taking is None and self.shipping is None
