"""Which system is behind a proxy."""

from __future__ import annotations

import time
import weakref
from typing import TYPE_CHECKING, Any, TypeAlias

from coopy.engine.gate import CLOSED, IN_CHILD
from coopy.error import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from coopy.disk import Disk
    from coopy.engine.engine import Engine
    from coopy.engine.past import Past
    from coopy.engine.system import System

    Again: TypeAlias = Callable[[str, Disk], object]  # opens a directory as that of the proxy was

__all__ = [
    "engine_of",
    "fix_wall",
    "is_proxy",
    "open_systems",
    "opened_again",
    "past_of",
    "register",
    "register_awaited",
    "register_past",
    "system_of",
]

YEARS = range(1970, 9999)  # stamps count from the first; in the last of all another action soon has none left
# By the proxy's own class, of which there is one for each system and each past state.
_systems: weakref.WeakKeyDictionary[type, System] = weakref.WeakKeyDictionary()
_ways: weakref.WeakKeyDictionary[type, Again] = weakref.WeakKeyDictionary()
_pasts: weakref.WeakKeyDictionary[type, Past] = weakref.WeakKeyDictionary()
_awaited: weakref.WeakSet[type] = weakref.WeakSet()  # those for tasks, each beside one for threads, which is above


def open_systems() -> list[System]:
    """Those of this process that nobody has closed, whether or not they still take actions."""
    while True:
        try:
            return [one for one in _systems.values() if one.engine.final not in (CLOSED, *IN_CHILD)]
        except RuntimeError:  # one was opened meanwhile
            continue


def register(proxy: object, system: System, again: Again) -> None:
    """This system is behind this proxy from now on. `again`: how to open a directory as it was opened."""
    _systems[type(proxy)], _ways[type(proxy)] = system, again


def opened_again(proxy: object, directory: str, disk: Disk) -> Any:
    """The proxy of the system in a directory, opened by the class and the options that this one was opened by."""
    system_of(proxy)
    return _ways[type(proxy)](directory, disk)


def register_past(proxy: object, past: Past) -> None:
    """This past state is behind this proxy."""
    _pasts[type(proxy)] = past


def register_awaited(proxy: object) -> None:
    """This is a proxy for tasks. Nothing here gives its system: that is behind the one for threads beside it."""
    _awaited.add(type(proxy))


def is_proxy(obj: object) -> bool:
    """Whether this is what `init_system` gave, or `at`, or `coopy.aio.open`."""
    return type(obj) in _systems or type(obj) in _pasts or type(obj) in _awaited


def past_of(proxy: object) -> Past | None:
    """The past state behind a proxy, if that is what it stands for."""
    return _pasts.get(type(proxy))


def engine_of(proxy: object) -> Engine:
    """The engine behind a proxy, for whoever calls it in another way."""
    return system_of(proxy).engine


def fix_wall(proxy: object, date: datetime | None) -> None:
    """For tests: have the system's stamps take this time (naive: local) until None sets the real one again. Raises UsageError for one that no action can have."""
    system = system_of(proxy)
    if date is not None and date.year not in YEARS:
        raise UsageError(f"{date} is not possible: times of actions lie in the years {YEARS[0]} to {YEARS[-1]}, and never go back.")
    fixed = None if date is None else round(date.timestamp() * 1_000_000) * 1000
    with system.engine.lock:
        system.engine.wall = time.time_ns if fixed is None else lambda: fixed


def system_of(proxy: object) -> System:
    """The system behind a proxy. Raises UsageError for anything else."""
    system = _systems.get(type(proxy))
    if system is None:
        given = f"The class {proxy.__qualname__}" if isinstance(proxy, type) else type(proxy).__qualname__
        what = f"{given} is not a proxy of coopy: pass what init_system gave."
        raise UsageError(f"{what} For what coopy.aio.open gave there is coopy.aio.control, whose `blocking` is such a proxy.")
    return system
