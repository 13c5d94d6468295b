"""For people who test their own domain: does it replay, does it survive crashes, and what pytest and Hypothesis need for it.

    assert_replayable(Wiki, [Call("create_page", "Home", "Welcome")])    replayed elsewhere, it is the same
    assert_survives_crashes(scenario)                                    killed at every write, nobody was told what is no longer so
    calls(Wiki), machine(Wiki)                                           Hypothesis calls it (needs hypothesis)
    restart(wiki), crash(wiki), MovableClock                             closed and opened again; killed and opened again; the time you say

The pytest plugin (`plugin.py`) is found by installation: fixtures `coopy_system` and `coopy_clock`. What is not used is not imported: neither
pytest nor Hypothesis, nor the running system.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coopy.testing.call import Call
    from coopy.testing.clock import MovableClock
    from coopy.testing.crashes import Opening, assert_survives_crashes
    from coopy.testing.failures import CrashAssertionError, ReplayAssertionError
    from coopy.testing.machines import machine
    from coopy.testing.replayable import assert_replayable
    from coopy.testing.restarts import Systems, crash, restart
    from coopy.testing.strategies import calls

__all__ = [
    "Call",
    "CrashAssertionError",
    "MovableClock",
    "Opening",
    "ReplayAssertionError",
    "Systems",
    "assert_replayable",
    "assert_survives_crashes",
    "calls",
    "crash",
    "machine",
    "restart",
]

_HOMES = {
    "call": ("Call",),
    "clock": ("MovableClock",),
    "crashes": ("Opening", "assert_survives_crashes"),
    "failures": ("CrashAssertionError", "ReplayAssertionError"),
    "machines": ("machine",),
    "replayable": ("assert_replayable",),
    "restarts": ("Systems", "crash", "restart"),
    "strategies": ("calls",),
}


def __getattr__(name: str) -> Any:
    home = next((module for module, names in _HOMES.items() if name in names), None)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return globals().setdefault(name, getattr(import_module(f"{__name__}.{home}"), name))


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
