"""coopy makes plain Python objects durable: state in memory, every change in a journal, restored by replay.

from coopy import init_system

wiki = init_system(Wiki(), "data/wiki")     # wiki is used exactly as a Wiki
wiki.create_page("Home", "Welcome")         # this call is durable before it runs, and it has run when it returns
"""

# A name is loaded when it is first used (PEP 562): whoever marks a class, validates it or checks its types does not load the running system.
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coopy import clock, random
    from coopy.action import Action
    from coopy.base import init_persistent_system, init_system
    from coopy.clock import Clock
    from coopy.decorators import abort_exception, readonly, unlocked, upgrade, was
    from coopy.engine.stats import Stats
    from coopy.key import once
    from coopy.marks import Replica, System, View
    from coopy.random import Random
    from coopy.wiring import Control, control
    from coopy.wiring.elsewhere import verify
    from coopy.wiring.linear import linearizable
    from coopy.wiring.rehearsal import rehearse
    from coopy.wiring.stored import restore

__all__ = [
    "Action",
    "Clock",
    "Control",
    "Random",
    "Replica",
    "Stats",
    "System",
    "View",
    "abort_exception",
    "clock",
    "control",
    "init_persistent_system",
    "init_system",
    "linearizable",
    "once",
    "random",
    "readonly",
    "rehearse",
    "restore",
    "unlocked",
    "upgrade",
    "verify",
    "was",
]

_HOMES = {
    "action": ("Action",),
    "base": ("init_persistent_system", "init_system"),
    "clock": ("Clock",),
    "decorators": ("abort_exception", "readonly", "unlocked", "upgrade", "was"),
    "engine.stats": ("Stats",),
    "key": ("once",),
    "marks": ("Replica", "System", "View"),
    "random": ("Random",),
    "wiring": ("Control", "control"),
    "wiring.elsewhere": ("verify",),
    "wiring.linear": ("linearizable",),
    "wiring.rehearsal": ("rehearse",),
    "wiring.stored": ("restore",),
}


def __getattr__(name: str) -> Any:
    home = next((module for module, names in _HOMES.items() if name in names), name if name in __all__ else None)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f"{__name__}.{home}")
    return globals().setdefault(name, module if name == home else getattr(module, name))


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
