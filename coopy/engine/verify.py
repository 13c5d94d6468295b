"""Does the journal give the state, whoever replays it? Replays under other surroundings are compared with each other and with what was kept.

    first     from the oldest snapshot on, to the end
    others    from every other snapshot on, or once more from the oldest
    marks     where digests are taken: at each snapshot, where the journal has one recorded (CHECKPOINT), and at the end

At each mark all digests must agree: those of the replays, of the snapshot as it was kept, and the recorded one. Where they do not, the replays
are repeated with marks closer and closer around the first difference, until it lies between two actions; what differs there is shown.

The replays themselves run elsewhere, in fresh processes (wiring/elsewhere.py). Nothing is changed here, and no lock is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from coopy.error import DivergenceError

__all__ = ["Journal", "Replay", "Report", "Verified", "verified"]

CLOSER = 16  # marks at a time


class Replay(msgspec.Struct, frozen=True):
    """What a fresh process is to do: load the snapshot at `base`, replay up to `last` (None: to the end), give digests at `marks`.

    `everywhere`: the marks are all places where there is something to compare with. `keep`: a file for the state after `last`. `against`: such a
    file, whose state is compared with this one.
    """

    base: int
    last: int | None = None
    marks: tuple[int, ...] = ()
    everywhere: bool = False
    keep: str = ""
    against: str = ""


class Report(msgspec.Struct):
    """What it found: `last`: the last action; digests by LSN, those that it `saw` and those that the journal has `recorded`.

    `method`: of the last action; `differs`: in which paths the states differ.
    """

    last: int
    saw: dict[int, str] = {}
    recorded: dict[int, str] = {}
    method: str = ""
    differs: tuple[str, ...] = ()


class Verified(msgspec.Struct, frozen=True):
    """A journal that gives the same state wherever it is replayed. `lsn`, `digest`: the end; `replays`: how many processes replayed it.

    `compared`: the LSNs at which the state was compared.
    """

    directory: str
    domain: str
    lsn: int
    digest: str
    replays: int
    compared: tuple[int, ...]

    def __str__(self) -> str:
        places = ", ".join(map(str, self.compared))
        return f"{self.directory}: the {self.domain} is the same in {self.replays} replays, compared at LSN {places}. Digest {self.digest}."


class Witness(NamedTuple):
    """Who says what the state is after an action: a replay from the snapshot at `base`, or something that was kept."""

    who: str
    digest: str
    base: int = -1


class Difference(NamedTuple):
    """Where two disagree: the states were the same after `good` and differ after `bad`."""

    good: int
    bad: int
    one: Witness
    other: Witness


class Journal(msgspec.Struct, frozen=True):
    """What is verified. `run` does replays at once, each in surroundings of its own; `scratch`: a file that may be written meanwhile."""

    directory: str
    domain: str
    snapshots: tuple[int, ...]
    run: Callable[[Sequence[Replay]], list[Report]]
    scratch: str


def verified(journal: Journal) -> Verified:
    """Compare. Raises DivergenceError, with the `paths` that differ where both states can be had, and whatever is wrong with the files."""
    oldest, *others = journal.snapshots
    bases = [oldest, *(others or [oldest])]
    [first] = journal.run([Replay(oldest, everywhere=True)])
    reports = [first, *journal.run([Replay(base, first.last, everywhere=True) for base in bases[1:]])]
    said = _witnesses(bases, reports)
    bad = next((lsn for lsn in sorted(said) if len({one.digest for one in said[lsn]}) > 1), None)
    if bad is None:
        compared = tuple(lsn for lsn in sorted(said) if len(said[lsn]) > 1)
        return Verified(journal.directory, journal.domain, first.last, first.saw[first.last], len(reports), compared)
    good = max((lsn for lsn in said if lsn < bad), default=bad)
    raise _explained(_narrowed(Difference(good, bad, *_two(said[bad])), journal), journal)


def _witnesses(bases: Sequence[int], reports: Sequence[Report]) -> dict[int, list[Witness]]:
    """By LSN."""
    said: dict[int, list[Witness]] = {}
    for base, report in zip(bases, reports, strict=True):
        for lsn, digest in report.saw.items():
            one = Witness(f"the snapshot at LSN {base}", digest) if lsn == base else Witness("a replay", digest, base)
            said.setdefault(lsn, []).append(one)
    for lsn, digest in reports[0].recorded.items():
        if lsn in said:
            said[lsn].append(Witness("the digest in the journal", digest))
    return said


def _two(witnesses: Sequence[Witness]) -> tuple[Witness, Witness]:
    """Two that disagree, replays first: what they did can be looked at again."""
    one, *others = sorted(witnesses, key=lambda one: one.base < 0)
    return one, next(other for other in others if other.digest != one.digest)


def _narrowed(found: Difference, journal: Journal) -> Difference:
    """The same, closer together. Where replays agree with each other, what was kept is another matter, and it stays as it is."""
    while found.bad - found.good > 1:
        marks = tuple(sorted({found.good + (found.bad - found.good) * step // CLOSER for step in range(1, CLOSER + 1)} - {found.good}))
        again = Replay(_base_of(found.good, journal), found.bad, marks)
        one, other = journal.run([again, again])
        apart = next((lsn for lsn in marks if one.saw[lsn] != other.saw[lsn]), None)
        if apart is None:
            return found
        good = max((lsn for lsn in marks if lsn < apart), default=found.good)
        found = Difference(good, apart, *(Witness("a replay", report.saw[apart], again.base) for report in (one, other)))
    return found


def _base_of(lsn: int, journal: Journal) -> int:
    return max(one for one in journal.snapshots if one <= lsn)


def _explained(found: Difference, journal: Journal) -> DivergenceError:
    base = found.one.base if found.one.base >= 0 else _base_of(found.good, journal)
    [report] = journal.run([Replay(base, found.bad, keep=journal.scratch)])
    method, paths = report.method, _paths(found, journal)
    place = f"LSN {found.bad}" if found.bad - found.good <= 1 else f"an action from LSN {found.good + 1} to {found.bad}"
    where = f"{place} ({method})" if found.bad > base else f"LSN {found.bad}, as it was loaded"
    if found.other.base >= 0 and found.other.base != base:
        what = f"Replays from the snapshots at LSN {base} and LSN {found.other.base} differ"
        why = "Something is kept elsewhere than in the domain object, or a snapshot does not hold it."
    elif found.other.base >= 0 or found.bad == base:
        what, why = (
            "Two replays differ",
            "What it does depends on something that no record holds: the order of a set, a time, an address, the environment.",
        )
    else:
        what = f"Replays agree with each other, but not with {found.other.who}"
        why = "The recorded run depended on something that no record holds, or the code was changed since."
    return DivergenceError(
        f"{what} in {journal.directory} after {where}{_shown(paths)}. Nothing was changed. {why} `python -m coopy.validate` may find the place.",
        lsn=found.bad, after=found.good, method=method, expected=found.other.digest, got=found.one.digest, paths=paths, bases=(base, found.other.base),
    )  # fmt: skip


def _paths(found: Difference, journal: Journal) -> tuple[str, ...]:
    """What differs between two replays, or between one and a snapshot. Of a recorded digest nobody has the state."""
    if found.other.base < 0 and found.bad not in journal.snapshots:
        return ()
    other = Replay(found.other.base if found.other.base >= 0 else found.bad, found.bad, against=journal.scratch)
    [report] = journal.run([other])
    return report.differs


def _shown(paths: tuple[str, ...]) -> str:
    return f": {'; '.join(paths)}" if paths else ""
