"""Does the journal give the state, whoever replays it? Two replays under other surroundings are compared with each other and with what was kept.

    one       from the oldest snapshot to the end, at one go
    other     the same in pieces, as if it had been restarted: from each snapshot to the next, and where there is none in between, from a state
              of its own in the middle. What lives beside the state (a counter in a module, a cache) begins anew in each piece
    marks     where digests are taken: at each snapshot, where the journal has one recorded (CHECKPOINT), and at the end

At each mark all digests must agree: those of the replays, of the snapshot as it was kept, and the recorded one; and so must what keys of
`coopy.once` remember, for a method may give what a replay does not, and change nothing by it. Where they do not, the replays
are repeated with marks closer and closer around the first difference, until it lies between two actions; what differs there is shown.

The replays themselves run elsewhere, in fresh processes (wiring/elsewhere.py). Nothing is changed here, and no lock is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from coopy.difference import NEW_HERE
from coopy.error import DivergenceError, NotSerializableError

__all__ = ["ONE_LOCALE", "Journal", "Replay", "Report", "Verified", "verified"]

CLOSER = 16  # marks at a time
SEVERAL = 3  # LSNs in a row that a report does not name one by one
TRIES = 4  # what differed once need not differ when it is repeated: chance may take the same side
ONE, OTHER = 0, 1
REMEMBERED = "what keys of once remember: the outcome of this action, not the state"
ONE_LOCALE = "This machine has no locale but C: what depends on one would not have shown."
READ_AGAIN = "the same state, written and read again"


class Replay(msgspec.Struct, frozen=True):
    """What a fresh process is to do: load the snapshot at `base`, replay up to `last`, give digests at `marks`.

    `around`: which surroundings, one or the other if it is even or odd; the same number, the same hash seed. `state`: a file with the state after
    `after`, instead of the snapshot's. `everywhere`: the marks are all places where there is something to compare with. `keep`: the marks at which the
    state is kept, in a file `folder`/LSN. `against`: such a file, with whose state that after `last` is compared.
    """

    base: int
    last: int
    marks: tuple[int, ...] = ()
    around: int = ONE
    after: int = 0
    state: str = ""
    everywhere: bool = False
    keep: tuple[int, ...] = ()
    folder: str = ""
    against: str = ""

    @property
    def begin(self) -> int:
        """The LSN after which it begins."""
        return max(self.base, self.after)

    def kept(self, lsn: int) -> str:
        """The file with the state after this action."""
        return f"{self.folder}/{lsn}"


class Report(msgspec.Struct):
    """What it found: `last`: the last action; digests by LSN, those that it `saw`, those of the `keys`, and those that the journal has `recorded`.

    `method`: of the last action; `differs`: in which paths the states differ; up to which LSN what was kept is of code that was `otherwise`, and digests
    may be of `former` names and shapes; `locale`: how texts were ordered there.
    """

    last: int
    saw: dict[int, str] = {}
    keys: dict[int, str] = {}
    recorded: dict[int, str] = {}
    method: str = ""
    differs: tuple[str, ...] = ()
    otherwise: int = -1
    former: int = -1
    locale: str = ""


class Verified(msgspec.Struct, frozen=True):
    """A journal that gives the same state wherever it is replayed. `lsn`, `digest`: the end; `replays`: how often each action was replayed.

    `compared`: the LSNs at which the state was compared; `former`: those whose recorded digest is of former names or shapes of the domain's classes, which
    no replay of today's gives; `locales`: those that it was replayed in, one only where this machine has no other than C.
    """

    directory: str
    domain: str
    lsn: int
    digest: str
    replays: int
    compared: tuple[int, ...]
    former: tuple[int, ...] = ()
    locales: tuple[str, ...] = ()

    def __str__(self) -> str:
        text = f"{self.directory}: the {self.domain} is the same in {self.replays} replays, compared at LSN {_listed(self.compared)}. Digest {self.digest}."
        if self.former:
            text += f" The digests recorded at LSN {_listed(self.former)} are of former names or shapes of its classes, and cannot be compared with."
        if len(self.locales) == 1:
            text += f" {ONE_LOCALE}"
        return text


class Witness(NamedTuple):
    """Who says what the state is after an action: a replay that came there, or something that was `kept`. `replay`: what shows that state again."""

    digest: str
    replay: Replay | None
    kept: str = ""


class Difference(NamedTuple):
    """Where two disagree: the states were the same after `good` and differ after `bad`. `part`: by which digests of a Report."""

    part: str
    good: int
    bad: int
    one: Witness
    other: Witness


class Journal(msgspec.Struct, frozen=True):
    """What is verified, from the oldest of its `snapshots` up to `last`. `dense`: it is so small that every LSN is a mark.

    `run` does replays, those in one list one after another; `scratch`: a folder for each side, where files may be written meanwhile.
    """

    directory: str
    domain: str
    snapshots: tuple[int, ...]
    last: int
    dense: bool
    run: Callable[[Sequence[Sequence[Replay]]], list[list[Report]]]
    scratch: tuple[str, str]


def verified(journal: Journal) -> Verified:
    """Compare. Raises DivergenceError, with the `paths` that differ where both states can be had, and whatever is wrong with the files."""
    try:
        found = _compared(journal)
    except DivergenceError as error:  # a replay did otherwise than was recorded: perhaps because its state differed before
        if error.lsn - 1 > journal.snapshots[0]:
            verified(msgspec.structs.replace(journal, last=error.lsn - 1))
        raise
    if isinstance(found, DivergenceError):
        raise found
    return found


def _compared(journal: Journal) -> Verified | DivergenceError:
    one, others = _plan(journal)
    try:
        [[first], rest] = journal.run([[one], others])
    except NotSerializableError:  # a state that no snapshot can hold can have none in the middle
        one = msgspec.structs.replace(one, keep=())
        others = [msgspec.structs.replace(one, around=OTHER)]
        [[first], rest] = journal.run([[one], others])
    former = tuple(lsn for lsn, digest in sorted(first.recorded.items()) if lsn <= first.former and first.saw.get(lsn, digest) != digest)
    first.recorded = {lsn: digest for lsn, digest in first.recorded.items() if lsn not in former}
    said = _witnesses("saw", [one, *others], [first, *rest])
    found = _first("saw", said) or _first("keys", _witnesses("keys", [one, *others], [first, *rest]))
    if found is None:
        compared = tuple(lsn for lsn in sorted(said) if len(said[lsn]) > 1)
        locales = tuple(sorted({one.locale for one in (first, *rest)}))
        return Verified(journal.directory, journal.domain, first.last, first.saw[first.last], 2, compared, former, locales)
    return _explained(_narrowed(found, journal), journal, first.otherwise)


def _first(part: str, said: dict[int, list[Witness]]) -> Difference | None:
    """Where they differ first."""
    bad = next((lsn for lsn in sorted(said) if len({witness.digest for witness in said[lsn]}) > 1), None)
    if bad is None:
        return None
    this, other = _two(said[bad])
    good = max((lsn for lsn in said if lsn < bad and (other.kept in ("", READ_AGAIN) or _is_known(said[lsn]))), default=bad)
    return Difference(part, good, bad, this, other)


def _plan(journal: Journal) -> tuple[Replay, list[Replay]]:
    """One at one go, the other in pieces."""
    oldest, last = journal.snapshots[0], journal.last
    marks = tuple(range(oldest, last + 1)) if journal.dense else ()
    one = Replay(oldest, last, marks, everywhere=True, keep=marks, folder=journal.scratch[0])
    other = msgspec.structs.replace(one, around=OTHER, keep=(), folder=journal.scratch[1])
    later = [lsn for lsn in journal.snapshots if oldest < lsn <= last]
    inner, middle = [lsn for lsn in later if lsn < last], oldest + (last - oldest) // 2
    if inner or middle == oldest:
        bases, ends = [oldest, *later], [*inner, last, last]
        return one, [msgspec.structs.replace(other, base=base, last=end) for base, end in zip(bases, ends, strict=False)]
    before = msgspec.structs.replace(other, last=middle, keep=(middle,))
    after = msgspec.structs.replace(other, after=middle, state=before.kept(middle))
    return one, [before, after, *(msgspec.structs.replace(other, base=lsn) for lsn in later)]


def _witnesses(part: str, replays: Sequence[Replay], reports: Sequence[Report]) -> dict[int, list[Witness]]:
    """By LSN. The journal tells of states only."""
    said: dict[int, list[Witness]] = {}
    for replay, report in zip(replays, reports, strict=True):
        for lsn, digest in getattr(report, part).items():
            said.setdefault(lsn, []).append(_witness(replay, lsn, digest))
    for lsn, digest in reports[0].recorded.items() if part == "saw" else ():
        if lsn in said:
            said[lsn].append(Witness(digest, None, "the digest in the journal"))
    return said


def _witness(replay: Replay, lsn: int, digest: str) -> Witness:
    if lsn > replay.begin:
        return Witness(digest, replay)
    return Witness(digest, replay, READ_AGAIN if replay.state else f"the snapshot at LSN {lsn}")


def _two(witnesses: Sequence[Witness]) -> tuple[Witness, Witness]:
    """Two that disagree, replays first: they can be repeated."""
    one, *others = sorted(witnesses, key=lambda one: bool(one.kept))
    return one, next(other for other in others if other.digest != one.digest)


def _is_known(witnesses: Sequence[Witness]) -> bool:
    """Whether something tells of the recorded run, not only of replays."""
    return any(one.kept not in ("", READ_AGAIN) for one in witnesses)


# --- where it begins -------------------------------------------------------------------------------------------------


def _narrowed(found: Difference, journal: Journal) -> Difference:
    """The same, closer together: as close as it shows again in replays."""
    tries = 0
    while found.bad - found.good > 1 and tries < TRIES:
        closer = _closer(found, _pair(found, journal, tries), journal)
        tries, found = (0, closer) if closer else (tries + 1, found)
    return found


def _pair(found: Difference, journal: Journal, tries: int) -> tuple[Replay, Replay]:
    """The two that differed, once more. If replays agreed, and only what was kept is otherwise, two that have other hash seeds."""
    if found.one.replay and found.other.replay and not found.other.kept:
        return found.one.replay, found.other.replay
    one = Replay(max(lsn for lsn in journal.snapshots if lsn <= found.good), found.bad, around=2 * tries + 2)
    return one, msgspec.structs.replace(one, around=one.around + 1)


def _closer(found: Difference, pair: tuple[Replay, Replay], journal: Journal) -> Difference | None:
    marks = tuple(sorted({found.good + (found.bad - found.good) * step // CLOSER for step in range(1, CLOSER + 1)} - {found.good}))
    pair = _again(pair[0], last=found.bad, marks=marks), _again(pair[1], last=found.bad, marks=marks)
    one, other = (getattr(report, found.part) for [report] in journal.run([[replay] for replay in pair]))
    apart = next((lsn for lsn in marks if one[lsn] != other[lsn]), None)
    if apart is None:
        return None
    good = max((lsn for lsn in marks if lsn < apart), default=found.good)
    return Difference(
        found.part, good, apart, *(Witness(digests[apart], replay) for digests, replay in zip((one, other), pair, strict=True))
    )


def _again(replay: Replay, **otherwise: object) -> Replay:
    """With the same marks if no others are said: looking at a state may be what changes it."""
    return msgspec.structs.replace(replay, **{"everywhere": False, "keep": (), **otherwise})


# --- what it is ------------------------------------------------------------------------------------------------------


def _explained(found: Difference, journal: Journal, otherwise: int) -> DivergenceError:
    method, paths, lost = _looked_at(found, journal)
    if found.bad == found.good:
        where = f"LSN {found.bad}, as it was loaded"
    elif found.bad - found.good == 1:
        where = f"LSN {found.bad} ({method})"
    else:
        where, method = f"an action from LSN {found.good + 1} to {found.bad}", ""
    why = "The recorded run depended on something that no record holds, or the code was changed since."
    if lost:
        what = "The state is not the same when it was written and read again, as a snapshot is,"
        why = "What its classes leave out or make anew (`__getstate__`, `__setstate__`), a restart does not see either."
    elif not found.other.kept or found.one.kept:
        what, why = (
            "Two replays differ",
            "What it does depends on something that no record holds: the order of a set, a time, an address, the environment.",
        )
    else:
        what = f"Replays agree with each other, but not with {found.other.kept}"
        if found.bad <= otherwise:
            why = "Its code was changed since, as far as that is known. If that is not the reason, the recorded run depended on something that no record holds."
    if any(NEW_HERE in path for path in paths):
        why = (
            "What is one object there is several here: a snapshot keeps it apart from the one that a class or module holds, as a default is."
            " Make one for each owner (a factory), or have its class be a frozen dataclass, of which that does not count."
        )
    return DivergenceError(
        f"{what} in {journal.directory} after {where}{_shown(paths)}. Nothing was changed. {why} `python -m coopy.validate` may find the place.",
        lsn=found.bad, after=found.good, method=method, expected=found.other.digest, got=found.one.digest, paths=paths,
    )  # fmt: skip


class Look(NamedTuple):
    """Two states beside each other: which paths differ, and whether the state `lost` that by being written and read."""

    method: str
    paths: tuple[str, ...] = ()
    lost: bool = False


def _looked_at(found: Difference, journal: Journal) -> Look:
    """One state is kept, and the other replay compares its own with that; with what was only digested nobody can."""
    one, other, method = found.one.replay, found.other.replay, ""
    assert one is not None
    if found.part == "keys":
        return Look(_once_more(journal, one, found.bad).method, (REMEMBERED,))
    kept = one.kept(found.bad)
    if found.bad not in one.keep or found.other.kept:
        try:
            report = _once_more(journal, one, found.bad, keep=(found.bad,), against=kept)
        except NotSerializableError:  # it cannot be handed over
            return Look(_once_more(journal, one, found.bad).method)
        method = report.method
        if report.differs or other is None:
            return Look(method, report.differs, lost=bool(report.differs))
    assert other is not None
    report = _once_more(journal, other, found.bad, against=kept)
    return Look(method or report.method, report.differs)


def _once_more(journal: Journal, replay: Replay, last: int, **otherwise: object) -> Report:
    [[report]] = journal.run([[_again(replay, last=last, **otherwise)]])
    return report


def _listed(lsns: tuple[int, ...]) -> str:
    """Numbers in order; several in a row as the first and the last of them."""
    rows: list[list[int]] = []
    for lsn in lsns:
        if rows and lsn == rows[-1][-1] + 1:
            rows[-1].append(lsn)
        else:
            rows.append([lsn])
    return ", ".join(f"{row[0]} to {row[-1]}" if len(row) >= SEVERAL else ", ".join(map(str, row)) for row in rows)


def _shown(paths: tuple[str, ...]) -> str:
    return f": {'; '.join(paths)}" if paths else ""
