"""Does a domain replay? Its calls are run on a system here, and what was recorded is replayed in fresh processes; the states must be the same.

    here      after each action the digest is recorded, and a snapshot is taken: after each of the first 32, then after the 64th, 128th...
    there     from each snapshot on, under two kinds of surroundings: other hash seeds, time zones, locales, clocks, working directories

The snapshots show what is kept elsewhere than in the object: a replay that begins behind it does not have it.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, overload

from coopy.difference import difference
from coopy.digest import digest
from coopy.engine.verify import ONE_LOCALE, Journal, Replay, Report, verified
from coopy.error import CorruptionError, DivergenceError, NotSerializableError
from coopy.fresh import pack, unpack
from coopy.logs import logger
from coopy.testing.call import Call, Told, check_calls, kind_of, refusal
from coopy.testing.clock import wall
from coopy.testing.failures import ReplayAssertionError, listed
from coopy.testing.looks import loaded, lost_in_storing
from coopy.testing.nursery import ask, check_findable
from coopy.testing.unsynced import UnsyncedDisk
from coopy.testing.watched import watched
from coopy.wiring import Options, control, open_proxy
from coopy.wiring.subject import Subject
from coopy.wiring.systems import system_of
from coopy.wiring.witness import Task, replay_there

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


__all__ = ["assert_replayable", "replay"]

log = logger("testing")

T = TypeVar("T")
EACH = 6  # every action is compared up to number 2 ** EACH, then every second, every fourth...
ALL = 1 << 20  # snapshots
SHORT = 32  # actions, with a snapshot after each
OUTSIDE = "It depends on something that no record holds: the order of a set, a time, an address, the environment, what is kept outside of the object."
KEPT = 8 << 20  # bytes of states, for showing what differs


@overload
def assert_replayable(domain: object, calls: Iterable[Call], *, allow: Iterable[str] = ()) -> None: ...
@overload
def assert_replayable(domain: type[T], calls: Callable[[T], object], *, allow: Iterable[str] = ()) -> None: ...
@overload
def assert_replayable(domain: T, calls: Callable[[T], object], *, allow: Iterable[str] = ()) -> None: ...
def assert_replayable(domain: Any, calls: Iterable[Call] | Callable[[Any], object], *, allow: Iterable[str] = ()) -> None:
    """Run calls on a system of the domain, replay them in fresh processes, and compare what they give.

    `domain`: a class, or an instance to begin with. `calls`: `Call` values (an exception of the domain's is an answer like any other), or a function that is
    given the system and calls it, on one thread (what it raises passes through). `allow`: as for `init_system`. The validator is not asked: what it
    reports, `init_system` does.

    Raises ReplayAssertionError, an AssertionError: `lsn`, `method` and `paths` say after which call the state is another, and where. So it does for
    a `Call` that is refused (an argument that is missing, or cannot be recorded), and for a function that has nothing recorded: that would show nothing.
    UsageError for a class inside of a function, which no other process can find.

    On a machine that has no locale but C, what depends on one does not show; the logger `coopy.testing` says so.
    """
    kind = kind_of(domain)
    check_findable(kind)
    act = calls if callable(calls) else _one_by_one(kind, check_calls(kind, calls))
    allow = tuple(allow)
    with tempfile.TemporaryDirectory(prefix="coopy-") as folder:
        options = Options(validation="off", allow=allow, keep_snapshots=ALL, durability="buffered")
        proxy = open_proxy(domain, Path(folder) / "live", options, UnsyncedDisk())
        with control(proxy):
            system_of(proxy).engine.wall = wall
            run = _Run(proxy)
            act(watched(proxy, run))
            run.before()
            run.close(empty=not callable(calls))  # a strategy draws empty lists, too, and queries only: how it begins is compared
        for name in ("one", "other"):
            (Path(folder) / name).mkdir()
        run.compare(
            Subject(str(Path(folder) / "live"), f"{kind.__module__}:{kind.__qualname__}", b"", allow),
            kind,
            (f"{folder}/one", f"{folder}/other"),
        )


def _one_by_one(kind: type, calls: Sequence[Call]) -> Callable[[Any], object]:
    def act(system: Any) -> None:
        for number, one in enumerate(calls, 1):
            if why := refusal(one, system):
                what = (
                    f"{kind.__qualname__} was not tested: call {number}, {one}, was refused and not recorded, so nothing of it is replayed"
                )
                raise ReplayAssertionError(f"{what}. {why}", lsn=control(system).lsn, method=one.method)

    return act


@cache
def _tell_of_one_locale() -> None:
    """Once a process."""
    log.warning("assert_replayable: %s", ONE_LOCALE)


def _has_snapshot(lsn: int) -> bool:
    """After each action of a short run; of a long one they get rare, for each is where a replay begins."""
    return lsn <= SHORT or lsn & (lsn - 1) == 0


class _Run:
    """The run here: what was called, and what the state was then."""

    def __init__(self, proxy: object) -> None:
        self._proxy, self._system = proxy, system_of(proxy)
        self._name = type(self._system.root).__qualname__
        self.calls: list[Call] = []
        self._failure: ReplayAssertionError | None = None
        self._digest = self._state = b""
        self._states: dict[int, bytes] = {}
        self._keep()

    def before(self) -> None:
        """The state must be as the last action left it: what is changed by anything else, no record holds."""
        if self._failure is not None or not self._state or self._system.engine.read(digest, self._system.root).encode() == self._digest:
            return
        paths = self._since_kept()
        after = f"after LSN {len(self.calls)}, {self.calls[-1]}," if self.calls else "at the beginning"
        what = f"{self._name} does not replay: {after} the state was changed by something that is no action, so no record holds it."
        ways = "A query or a property that changes something, or a caller that changes what a query gave."
        self._failure = ReplayAssertionError(f"{what}{listed('Here it was, and then:', paths)}\n{ways}", lsn=len(self.calls), paths=paths)

    def after(self, call: Call, _kind: int, _payload: bytes, _told: Told) -> None:
        """Have the journal keep a digest, and every now and then take a snapshot."""
        self.calls.append(call)
        lsn = len(self.calls)
        self._state = b""
        if lsn % (1 << max(0, lsn.bit_length() - EACH)) == 0:
            self._keep()
        if _has_snapshot(lsn):
            self._take_snapshot()

    def close(self, *, empty: bool) -> None:
        """Raises what was found so far, and where nothing was recorded, unless that may be."""
        if self._failure is not None:
            raise self._failure
        if not self.calls and not empty:
            what = f"{self._name} was not tested: no action was recorded, so there is nothing to replay."
            raise ReplayAssertionError(f"{what} Call a method that changes something; @readonly and @unlocked ones are not recorded.")

    def compare(self, subject: Subject, kind: type, scratch: tuple[str, str]) -> None:
        """Replay elsewhere. Raises ReplayAssertionError."""
        last = len(self.calls)
        snapshots = (0, *filter(_has_snapshot, range(1, last + 1)))

        def one(replay: Replay) -> Report:
            task = pack(Task(subject, replay, sys.getrecursionlimit()))
            return unpack(ask(replay.around, f"{__name__}:replay", task, kind, subject.allow), Report)

        def run(lanes: Sequence[Sequence[Replay]]) -> list[list[Report]]:
            return [[one(replay) for replay in lane] for lane in lanes]

        try:
            found = verified(Journal(subject.directory, subject.domain, snapshots, last, last < 1 << EACH, run, scratch))
        except DivergenceError as error:
            paths = tuple(getattr(error, "paths", ())) or self._from_here(error.lsn, run, scratch[0])
            raise self._diverged(error, paths) from None
        except (CorruptionError, NotSerializableError) as error:
            raise ReplayAssertionError(f"{self._name} does not replay: {error}") from error
        if len(found.locales) == 1:
            _tell_of_one_locale()

    def _keep(self) -> None:
        self._digest = control(self._proxy).digest().encode()
        self._state = self._system.engine.read(self._system.engine.codec.dump_state, self._system.root)
        self._store()
        if sum(map(len, self._states.values())) < KEPT:
            self._states[len(self.calls)] = self._state

    def _store(self) -> None:
        """A snapshot must give back what it was given. One that cannot be read at all says so when it is taken."""
        with contextlib.suppress(CorruptionError):
            paths = lost_in_storing(self._system, self._state)
            if paths and self._failure is None:
                after = f"after LSN {len(self.calls)}, {self.calls[-1]}," if self.calls else "at the beginning"
                what = f"{self._name} does not replay: {after} the state is another one when it is stored and read back, as a snapshot does it."
                text = f"{what}{listed('As it was, and as it comes back:', paths)}"
                self._failure = ReplayAssertionError(text, lsn=len(self.calls), paths=paths)

    def _since_kept(self) -> tuple[str, ...]:
        kept = loaded(self._system.engine.codec, self._state)
        return tuple(map(str, self._system.engine.read(difference, kept, self._system.root, 5)))

    def _take_snapshot(self) -> None:
        try:
            self._system.snapshots.take()
        except (CorruptionError, NotSerializableError) as error:
            lsn, call = len(self.calls), self.calls[-1]
            what = f"{self._name} does not replay: its state after LSN {lsn}, {call}, cannot be stored and read back: {error}"
            self._failure = self._failure or ReplayAssertionError(what, lsn=lsn, method=call.method)

    def _from_here(self, lsn: int, run: Callable[[Sequence[Sequence[Replay]]], list[list[Report]]], scratch: str) -> tuple[str, ...]:
        """What differs between the state here and that of a replay; nothing, where one of them cannot be had."""
        codec, mine = self._system.engine.codec, self._states.get(lsn)
        if mine is None:
            return ()
        replay = Replay(0, lsn, keep=(lsn,), folder=scratch)
        try:
            run([[replay]])
        except DivergenceError:  # it raises otherwise than here, before there is a state
            return ()
        with Path(replay.kept(lsn)).open("rb") as theirs:
            return tuple(map(str, difference(loaded(codec, mine), loaded(codec, theirs.read()), 5)))

    def _diverged(self, error: DivergenceError, paths: tuple[str, ...]) -> ReplayAssertionError:
        lsn = min(error.lsn, len(self.calls))
        place = f"after LSN {lsn}, {self.calls[lsn - 1]}, it is another one" if lsn else "the first state is another one already"
        calls = [f"{number}. {one}" for number, one in enumerate(self.calls[:lsn], 1)][-5:]
        text = f"{self._name} does not replay: in a fresh process {place}.{listed('What differs (one, the other):', paths)}{listed('Calls up to there:', calls)}"
        if not paths:
            text += f"\n{error}"
        return ReplayAssertionError(
            f"{text}\n{OUTSIDE} `python -m coopy.validate` may find the place.",
            lsn=lsn,
            method=error.method,
            paths=paths,
        )


# --- there -----------------------------------------------------------------------------------------------------------


def replay(task: bytes) -> bytes:
    """Do one replay."""
    answers: list[bytes] = []
    replay_there(task, answers.append)
    return answers[0]
