"""coopy makes plain Python objects durable: state in memory, every change in a journal, restored by replay.

from coopy import init_system

wiki = init_system(Wiki(), "data/wiki")     # wiki is used exactly as a Wiki
wiki.create_page("Home", "Welcome")         # this call is durable before it runs, and it has run when it returns
"""

from coopy import clock, random
from coopy.base import init_persistent_system, init_system
from coopy.clock import Clock
from coopy.decorators import abort_exception, readonly, unlocked
from coopy.marks import Replica, System, View
from coopy.random import Random
from coopy.wiring import Control, control

__all__ = [
    "Clock",
    "Control",
    "Random",
    "Replica",
    "System",
    "View",
    "abort_exception",
    "clock",
    "control",
    "init_persistent_system",
    "init_system",
    "random",
    "readonly",
    "unlocked",
]
