"""One session of a replica with a primary, with nothing between them but what a test puts there."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from coopy.replication.auth import Prover, Verifiers
from coopy.replication.follower import Follower
from coopy.replication.shipping import Shipping
from coopy.replication.taking import Taking
from coopy.replication.wire import PATIENCE
from tests.simulation.machine import Clock, Machine, WatchedNewcomer
from tests.simulation.scene import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Callable

CLOCK = Clock()
VERIFIERS = Verifiers(PASSWORD, 4096)


def make_machine(number: int) -> Machine:
    return Machine(number, CLOCK, VERIFIERS, random.Random(number))


def shown(machine: Machine) -> str:
    root = machine.running.root
    return repr((root.text, root.kept))  # type: ignore[attr-defined]


class Session:
    """It goes in turns. `arrive` gets all bytes, on their way "up" to the primary or "down" to the replica, and delivers what it likes."""

    def __init__(self, replica: Machine, primary: Machine, arrive: Callable[[Session, str, bytes], None]) -> None:
        self.replica, self.primary, self.arrive = replica, primary, arrive
        if not replica.is_up:
            replica.start_following()
        assert replica.home is not None
        assert primary.shipper is not None
        self.taking = Taking(replica.home, replica.home.hello(), "a primary", Prover(PASSWORD, b""), CLOCK)
        self.shipping = Shipping(primary.shipper, "a replica", b"", CLOCK.now + PATIENCE)
        self.passed = 0

    def run(self) -> int:
        """As `run_on`, and let go of it."""
        try:
            return self.run_on()
        finally:
            self.close()

    def run_on(self) -> int:
        """Until the replica has a state, or all of it, and has said so. Gives how many bytes have passed."""
        quiet = 0
        while quiet < 3 and not self.is_filled():
            up, down = self.taking.next(), self.shipping.next(0)
            for way, data in (("up", up), ("down", down)):
                self.passed += len(data)
                if data:
                    self.arrive(self, way, data)
            quiet = 0 if up or down else quiet + 1
        return self.passed

    def close(self) -> None:
        """Let go of it. May be repeated."""
        self.shipping.close()
        self.taking.close()
        if self.is_filled():
            self.replica.home = None

    def is_filled(self) -> bool:
        """Whether a directory in which nothing was has a state now."""
        return isinstance(self.replica.home, WatchedNewcomer) and self.taking.is_streaming

    def deliver(self, way: str, data: bytes) -> None:
        """As it stands."""
        if way == "up":
            self.shipping.receive(data)
        else:
            take(self.taking, self.replica, data)


def take(taking: Taking, replica: Machine, data: bytes) -> None:
    """What a replica does with bytes that came."""
    taking.receive(data)
    if taking.is_streaming and isinstance(replica.home, Follower):
        taking.acknowledge(replica.home.take(taking.frames))
