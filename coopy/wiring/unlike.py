"""What two replays of one journal have otherwise than each other, and a deterministic domain does not look at.

    zone        a day apart and more, so that the local date always differs; other minutes, too
    locale      one has none set, the other one the machine's, and the encoding that goes with it
    memory      pieces of all sizes are taken and a random half given back: what is made later lies in no order
    process     environment, arguments and recursion limit

Hash seed, zone, locale and working directory are set when the process starts (fresh.py), the others here, after the domain's class was
imported: what it looked up as it was imported is the same in both.
"""

from __future__ import annotations

import os
import random
import sys
from itertools import chain

__all__ = ["LOCALES", "ZONES", "become_unlike"]

ZONES = ("<+1345>-13:45", "<-1130>11:30")
LOCALES = ("de_DE.UTF-8", "fr_FR.UTF-8", "tr_TR.UTF-8", "en_US.UTF-8", "C")
NEEDED = ("PATH", "HOME", "TMPDIR", "TZ", "LC_", "LANG", "LD_", "DYLD_", "PYTHON", "COOPY_")
DEEPER = 500
SMALL = 128  # bytes: most objects are not larger
SIZES = range(48, 513, 16)  # what the interpreter's own allocator gives out
PIECES = {size: 2000 if size <= SMALL else 200 for size in SIZES}

_taken: list[object] = []


def become_unlike(around: int, recursion_limit: int) -> None:
    """Be one side, or the other if the number is odd. `recursion_limit`: that of the process which wants to know."""
    sys.argv[:] = [f"replay-{around}"]
    _scatter(random.Random())  # noqa: S311 - it protects nothing
    if around % 2:
        sys.setrecursionlimit(recursion_limit + DEEPER)
        for name in [name for name in os.environ if not name.startswith(NEEDED)]:
            del os.environ[name]
    else:
        sys.setrecursionlimit(recursion_limit)


def _scatter(chance: random.Random) -> None:
    """Later objects get the places that are given back here, the last one first."""
    small = ((object(), number << 40) for number in range(1, 2000))
    pieces = [*chain.from_iterable(small), *(bytes(size - 33) for size, count in PIECES.items() for _ in range(count))]
    chance.shuffle(pieces)
    half = len(pieces) // 2
    _taken.extend(pieces[:half])
    while len(pieces) > half:
        pieces.pop()
