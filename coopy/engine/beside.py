"""`@unlocked` actions in flight: recorded in order, executed each on its caller's thread, beside all others.

Whoever needs memory to stand still (a snapshot, a new segment, a rebuild) waits for them. A flight that ends without having landed was
interrupted: memory is in doubt.
"""

from __future__ import annotations

from _thread import allocate_lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Beside", "Flight", "wait_for"]

WAKE = 0.05  # seconds; a wake-up lost to an interrupt costs this, never a hang


class Flight:
    """One call. `landed`: it has a result; `gone`: its thread will do no more, which the thread says last, by a plain store in a `finally`."""

    __slots__ = ("end", "gone", "landed", "result")

    def __init__(self) -> None:
        self.gone = self.landed = False
        self.result: object = None
        self.end = allocate_lock()
        self.end.acquire()


def wait_for(flights: Iterable[Flight]) -> None:
    """Until all of these have gone."""
    for flight in flights:
        while not flight.gone:
            flight.end.acquire(timeout=WAKE)


class Beside:
    """The flights of one system, by LSN, from when their records are in the journal. The state's lock guards it."""

    __slots__ = ("flights",)

    def __init__(self) -> None:
        self.flights: dict[int, Flight] = {}

    def wait(self) -> None:
        """Until every flight has gone."""
        wait_for(self.flights.values())

    def gone(self) -> list[int]:
        """Those that have ended."""
        return [lsn for lsn, flight in self.flights.items() if flight.gone]

    def clear(self) -> None:
        """Memory was rebuilt: nothing is in flight any more."""
        self.flights.clear()

    def known(self, lsn: int) -> int:
        """Up to which LSN outcomes are known if all up to `lsn` have taken off."""
        return min(self.flights) - 1 if self.flights else lsn
