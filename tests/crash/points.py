"""Which of many points the suite takes: some of each kind, and of the rest every so manieth. `make faults` takes all of them, by a stride of 1.

The draw is by a seed, so that a failure can be had again; no point is out of reach of every seed.
"""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["bytes_of", "drawn"]

SECTOR = 512


def drawn(calls: Sequence[str], stride: int, seed: int) -> list[int]:
    """Numbers of calls of a disk, from 1 on: the first and the last of each kind on each kind of file, and every so manieth from a drawn one on."""
    kinds: dict[str, list[int]] = {}
    for number, call in enumerate(calls, 1):
        kinds.setdefault(re.sub(r"\d+", "", call), []).append(number)
    ends = {number for numbers in kinds.values() for number in (numbers[0], numbers[-1])}
    return sorted({*ends, *every(1, len(calls) + 1, stride, random.Random(seed))})


def bytes_of(data: bytes, starts: Iterable[int], stride: int, dice: random.Random) -> list[int]:
    """Offsets in what a file holds: the first and the last byte, both sides of each sector's edge and of where a part starts, and every so manieth."""
    used = len(data.rstrip(b"\0"))
    edges = (edge + side for edge in (*range(0, used + 1, SECTOR), *starts, used) for side in (-1, 0))
    return sorted({*(one for one in edges if 0 <= one < used), *every(0, used, stride, dice)})


def every(begin: int, end: int, stride: int, dice: random.Random) -> range:
    return range(begin + dice.randrange(stride), end, stride)
