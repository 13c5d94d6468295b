"""The clock and the random numbers that a system gives its domain object, as attributes of it.

They come first among its attributes, whenever they were given, so that a restart finds all of them in the order in which they were before. An
action that empties the object, or gives it another `__dict__`, takes them away: it gets them back when it ends, live as in a replay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.clock import Clock
from coopy.kinds import INJECTED
from coopy.random import Random

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.clock import Moment

__all__ = ["CHANCE", "CLOCK", "equip"]

CLOCK, CHANCE = INJECTED
MAKE: dict[str, Callable[[Moment], object]] = {CLOCK: Clock, CHANCE: lambda _moment: Random()}


def equip(root: object, moment: Moment) -> None:
    """Give a domain object what it has not, unless its class has no room for it or defines it itself."""
    room = getattr(root, "__dict__", None)
    if room is None or (CLOCK in room and CHANCE in room):
        return
    own = [name for name in INJECTED if any(name in vars(base) for base in type(root).__mro__)]
    given = {name: make(moment) for name, make in MAKE.items() if name not in room and name not in own}
    if given:
        object.__setattr__(root, "__dict__", {**given, **room})  # in one piece: queries beside the lock may look at it
