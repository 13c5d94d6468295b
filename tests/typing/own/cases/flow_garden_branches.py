from __future__ import annotations

import sys
from typing import Union

from coopy import System, init_system


class Bed:
    kind = "bed"

    def __init__(self) -> None:
        self.rows: list[str] = []
        self.wet = False

    def water(self) -> bool:
        self.wet = True
        return self.wet


class Pot:
    kind = "pot"
    wet = False

    def __init__(self) -> None:
        self.rows: list[str] = []


def guarded(flag: bool, path: str) -> None:
    if not flag:
        raise SystemExit(1)
    bed = init_system(Bed(), path)
    if bed.wet:
        bed.wet = False  # E: coopy-set
    elif bed.rows:
        bed.rows.clear()  # E: coopy-mutate
    else:
        bed.water()


def matched(thing: System[Bed] | Pot | None) -> str:
    match thing:
        case Pot():
            thing.wet = True
            thing.rows.append("p")
            return thing.kind
        case None:
            return ""
        case Bed():
            thing.water()
            return thing.kind


def subject(code: int, bed: System[Bed]) -> None:
    match code:
        case 1:
            bed.wet = True  # E: coopy-set
        case 2 | 3:
            bed.water()
        case _:
            bed = init_system(Bed)
            bed.rows.append("x")  # E: coopy-mutate


def loop(bed: System[Bed]) -> int:
    tries = 0
    while not bed.wet:
        tries += 1
        if tries > 3:
            bed.wet = True  # E: coopy-set
            break
        bed.water()
    else:
        tries = -1
    return tries


def last(names: list[str]) -> None:
    found: Bed | None = None
    for name in names:
        candidate = Bed()
        candidate.rows.append(name)
        found = candidate
    if found is not None:
        found.wet = True
        found.rows.clear()


def narrowed(thing: Union[System[Bed], str, None]) -> str:
    if isinstance(thing, str):
        return thing.upper()
    if thing is None:
        return ""
    thing.wet = False  # E: coopy-set
    assert thing.rows
    thing.rows.pop()  # E: coopy-mutate
    return thing.kind


def finally_closed() -> None:
    bed = None
    try:
        bed = init_system(Bed())
        bed.wet = True  # E: coopy-set
    finally:
        if bed is not None:
            print(bed.rows)
            bed.wet = False  # E: coopy-set


def and_or(bed: System[Bed] | None, pot: Pot) -> bool:
    wet = bed is not None and bed.wet
    if bed and bed.water():
        bed.rows = []  # E: coopy-set
    target = pot if wet else Pot()
    target.wet = wet
    target.rows.append(sys.platform)
    return wet
