"""Does a domain survive crashes? What callers of a scenario were told is compared with what a restart shows.

The scenario runs once, on a disk in memory, which is kept as a crash at each write would leave it. Systems are opened on that in fresh processes.

    kill        all that was written is there                power cut      what was not synced may be there or not, by halves too

Of each crash: every call that returned is there ("sync"; "buffered" after a kill), at most one more, and the state and all answers are what callers
were told after that call. Of up to GOING_ON numbers of calls the system goes on, after a snapshot and a second restart: the calls that followed in the scenario
are made again, at the same times, and must be answered as they were. That finds what the state does not hold, though it comes back from the journal.

Answers may depend on the process (the order of a set, its zone): one that differs counts only if a process that did not restart gives another one.
"""

from __future__ import annotations

import hashlib
import logging
import random
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload

import msgspec

from coopy.disk.fake import CHANGES, FakeDisk
from coopy.error import CoopyError, CorruptionError, DivergenceError, NotSerializableError, UsageError
from coopy.fresh import pack, unpack
from coopy.testing.call import Told, kind_of
from coopy.testing.clock import standing, wall
from coopy.testing.failures import CrashAssertionError, listed
from coopy.testing.history import History
from coopy.testing.nursery import ask, check_findable
from coopy.testing.restarting import Kept, Restart, Restarted
from coopy.testing.watched import watched
from coopy.wiring import Options, control, open_proxy
from coopy.wiring.systems import opened_again, system_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from coopy.testing.looks import Look

__all__ = ["Opening", "assert_survives_crashes"]

T = TypeVar("T")
SEGMENT_BYTES = 1 << 16
OPTIONS = frozenset({"allow", "durability", "keep_snapshots", "auto_prune", "segment_bytes", "signing_key", "compression"})
NOTHING = Told("", "nothing")
KINDS = ("kill", "power cut")
GOING_ON = 16  # times at most, for each system
MANY = 20  # looks, so that no answer is the same by chance
SHOWN = 5


class Opening(Protocol):
    """Opens a system of the scenario, as `init_system` does: `open(Wiki)`, again after it was closed. `name`: where there are several."""

    @overload
    def __call__(self, domain: type[T], name: str = "", **options: Any) -> T: ...
    @overload
    def __call__(self, domain: T, name: str = "", **options: Any) -> T: ...


def assert_survives_crashes(
    scenario: Callable[[Opening], object], *, check: Callable[[Any], object] | None = None, points: int = 100, seed: int = 0
) -> None:
    """Run a scenario, crash it at every write, restart, and compare what callers were told with what the restart shows.

    `scenario(open)` opens its systems by `open(Wiki, ...)` and calls them, on one thread. Time stands still in it, unless a MovableClock moves it. Options:
    `durability` ("sync" by default), `allow`, `keep_snapshots`, `auto_prune`, `segment_bytes`, `signing_key`, `compression`.
    `check(system)` is called on each restarted system and raises if something is wrong with it. `points`: where there are more crashes than these, so
    many are chosen by `seed`, which a failure names.

    Raises CrashAssertionError, an AssertionError: `lsn`, `paths`, `point`; so it does where no action was recorded. What the scenario raises passes through.
    """
    disk = _Recorder(points, seed)
    opening = _Opening(disk)
    try:
        with standing():
            _play(scenario, opening, disk)
    finally:
        disk.recording = False
        opening.close()
    if not opening.histories:
        raise UsageError("The scenario opened no system: it is given a function to open them with.")
    _Judge(opening.histories, disk, check).judge()


# --- the run ---------------------------------------------------------------------------------------------------------


def _play(scenario: Callable[[Opening], object], opening: _Opening, disk: _Recorder) -> None:
    """Run the scenario. What is found meanwhile comes before what it raises: it may be the reason."""
    histories = opening.histories.values()
    try:
        scenario(opening)
    except Exception as error:
        for failure in [one.failure for one in histories if one.failure is not None]:
            raise failure from error
        raise
    for one in histories:
        one.before()
    for failure in [one.failure for one in histories if one.failure is not None]:
        raise failure
    if histories and all(len(one.entries) == 1 for one in histories):
        names = ", ".join(one.kind.__qualname__ for one in histories)
        what = f"{names} was not tested: the scenario recorded no action, so there is nothing that a crash could lose."
        raise CrashAssertionError(f"{what} Call a method that changes something; @readonly and @unlocked ones are not recorded.")
    disk.finish()


class _Crash(msgspec.Struct):
    """A disk after a crash. `point`: how many writes were begun; `returned`: how many calls had returned, by system."""

    point: int
    where: str
    kind: str
    disk: FakeDisk
    returned: dict[str, int]


class _Recorder(FakeDisk):
    """Keeps itself as a crash would leave it before each change; of more than `points` a choice, each as likely as any other."""

    def __init__(self, points: int, seed: int) -> None:
        super().__init__(seed)
        self.seed, self.points = seed, points
        self.recording = True
        self.crashes: list[_Crash] = []
        self.histories: Mapping[str, History] = {}
        self.met = self.changed = 0
        self._chance = random.Random(seed)  # noqa: S311 - it chooses crashes

    def begin(self, what: str) -> BaseException | None:
        """As FakeDisk.begin."""
        if self.recording and what.split(" ", 1)[0] in CHANGES:
            self.changed += 1
            for kind in KINDS if self.histories else ():
                self.met += 1
                at = len(self.crashes) if len(self.crashes) < self.points else self._chance.randrange(self.met)
                if at < self.points:
                    self.crashes[at : at + 1] = [self._now(f"before write {self.changed} ({what})", kind)]
        return super().begin(what)

    def finish(self) -> None:
        """The scenario is at its end: that is a place to crash, too, and it is always looked at."""
        self.met += len(KINDS)
        self.crashes.sort(key=lambda one: one.point)
        self.crashes += [self._now("after the last write", kind) for kind in KINDS]

    def _now(self, where: str, kind: str) -> _Crash:
        found = self.kill() if kind == "kill" else self.crash(random.Random(f"{self.seed} {self.met}"))  # noqa: S311 - as above
        return _Crash(self.changed, where, kind, found, {name: len(one.entries) - 1 for name, one in self.histories.items()})


class _Opening:
    """The `open` of a scenario."""

    def __init__(self, disk: _Recorder) -> None:
        self._disk = disk
        self.histories: dict[str, History] = {}
        disk.histories = self.histories
        self._proxies: list[Any] = []

    def __call__(self, domain: Any, name: str = "", **options: Any) -> Any:
        """As Opening says."""
        if unknown := options.keys() - OPTIONS:
            raise UsageError(f"{min(unknown)}= is not for a scenario of crashes: it takes {', '.join(sorted(OPTIONS))}.")
        kind = kind_of(domain)
        check_findable(kind)
        name = name or kind.__name__.lower()
        chosen = Options(validation="off", sync_interval=3600, **{"segment_bytes": SEGMENT_BYTES, **options})
        proxy = open_proxy(domain, f"/{name}", chosen, self._disk)
        system_of(proxy).engine.wall = wall
        if name not in self.histories:
            kept = Kept(f"/{name}", f"{kind.__module__}:{kind.__qualname__}", tuple(chosen.allow), chosen.signing_key, chosen.segment_bytes)
            self.histories[name] = History(kept, kind, safe=chosen.durability == "sync")
        history = self.histories[name]
        seen = watched(proxy, history)
        self._proxies += (proxy, seen)
        history.opened(seen, self._disk.kill().contents())
        return seen

    def close(self) -> None:
        """Close all that the scenario left open."""
        for one in self._proxies:
            control(one).close()


@contextmanager
def _without_warnings() -> Iterator[None]:
    """A torn record is what crashes are made for: nobody wants to read of each."""
    log = logging.getLogger("coopy")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)


# --- the judgement ---------------------------------------------------------------------------------------------------


class _Judge:
    """Looks at each crash."""

    def __init__(self, histories: Mapping[str, History], disk: _Recorder, check: Callable[[Any], object] | None) -> None:
        self._histories, self._disk, self._check = histories, disk, check
        self._seen: set[bytes] = set()
        self._gone_on: dict[str, list[int]] = {name: [] for name in histories}
        self._controls: dict[tuple[str, int], Restarted] = {}
        self._crash: _Crash = disk.crashes[0]

    def judge(self) -> None:
        """Raises CrashAssertionError for the first that is wrong."""
        for crash in self._disk.crashes:
            self._crash = crash
            files = crash.disk.contents()
            for name, returned in crash.returned.items():
                history = self._histories[name]
                mine = {path: data for path, data in files.items() if path.startswith(f"{history.kept.directory}/")}
                key = hashlib.blake2b(pack((name, returned, mine)), digest_size=16).digest()
                if key not in self._seen:
                    self._seen.add(key)
                    self._judge_one(history, name, returned, mine)

    def _judge_one(self, history: History, name: str, returned: int, files: dict[str, bytes]) -> None:
        snapshot = self._is_due(history, returned) or self._is_due(history, returned + 1)
        found = self._restarted(history, Restart(history.kept, files, history.walls, snapshot=snapshot))
        lsn = found.found.lsn
        least = returned if history.safe or self._crash.kind == "kill" else 0
        if not least <= lsn <= returned + 1:
            raise self._failure(history, lsn, f"{returned} calls had returned, and {lsn} are there", ())
        if lsn >= len(history.entries):  # one that the scenario itself never saw return
            return
        self._compare(history, lsn, found.found, "after the restart")
        self._ask_user(self._crash.disk, history)
        if found.files and self._is_due(history, lsn):
            self._gone_on[name].append(lsn)
            self._go_on(history, lsn, found.files)

    def _is_due(self, history: History, lsn: int) -> bool:
        """Whether it is to go on from here: from each LSN of a short scenario, from GOING_ON, about as far from each other, of a long one."""
        apart = -(-len(history.entries) // GOING_ON)
        return all(abs(lsn - one) >= apart for one in self._gone_on[history.kept.directory[1:]])

    def _go_on(self, history: History, lsn: int, files: dict[str, bytes]) -> None:
        """From the snapshot, with the calls that followed."""
        rest = history.entries[lsn + 1 :]
        calls = tuple(one.again for one in rest if one.again is not None)
        later = self._restarted(history, Restart(history.kept, files, history.walls, calls))
        self._compare(history, lsn, later.found, "after a second restart, from a snapshot")
        for number, (entry, told) in enumerate(zip(rest, later.outcomes, strict=True), lsn + 1):
            assert entry.told is not None
            if told.token == entry.told.token:
                continue
            if told.token != self._without_restart(history, number).outcomes[-1].token:
                what = f"its callers get other answers than without it: {entry.call} gave {entry.told.words} then, and {told.words} after the restart"
                raise self._failure(history, lsn, what, ())
        self._compare(history, lsn + len(rest), later.end, f"after the restart at LSN {lsn} and the calls that followed")
        disk = FakeDisk()
        disk.put(files)
        self._ask_user(disk, history)

    def _compare(self, history: History, lsn: int, now: Look, when: str) -> None:
        told = history.entries[lsn].look
        if now.digest != told.digest:
            paths = history.paths(lsn, now.state)
            raise self._failure(history, lsn, f"{when} the state is another one", paths)
        for name, before in told.seen.items():
            after = now.seen.get(name, NOTHING)
            if after.token == before.token:
                continue
            there = self._without_restart(history, lsn).end.seen.get(name, after)  # not there: now this and now that
            if after.token != there.token:
                raise self._failure(history, lsn, f"{when} it answers otherwise", (f"{name}: {before.words} != {after.words}",))

    def _without_restart(self, history: History, lsn: int) -> Restarted:
        """The same calls, up to this one, in a process of the same kind that never restarted: what it answers is the process's own."""
        key = history.kept.directory, lsn
        if key not in self._controls:
            calls = tuple(one.again for one in history.entries[1 : lsn + 1] if one.again is not None)
            self._controls[key] = self._restarted(history, Restart(history.kept, history.base, history.walls, calls, times=MANY))
        return self._controls[key]

    def _restarted(self, history: History, task: Restart) -> Restarted:
        try:
            answer = ask(0, "coopy.testing.restarting:restart", pack(task), history.kind, history.kept.allow)
        except (CorruptionError, DivergenceError, NotSerializableError) as error:
            lsn = self._crash.returned[history.kept.directory[1:]]
            raise self._failure(history, lsn, f"it cannot be opened again: {error}", ()) from error
        return unpack(answer, Restarted)

    def _ask_user(self, disk: FakeDisk, history: History) -> None:
        if self._check is None:
            return
        with _without_warnings():
            system = opened_again(history.proxy, history.kept.directory, disk)
        try:
            self._check(system)
        except CoopyError:
            raise
        except Exception as error:
            what = f"the check says: {type(error).__name__}: {error}"
            raise self._failure(history, control(system).lsn, what, ()) from error
        finally:
            control(system).close()

    def _failure(self, history: History, lsn: int, what: str, paths: tuple[str, ...]) -> CrashAssertionError:
        crash, disk = self._crash, self._disk
        kind = history.kind.__qualname__
        text = f"{kind} does not survive a {crash.kind} {crash.where}: {what.removesuffix('.')}."
        last = min(lsn, len(history.entries) - 1)
        text += listed("What differs (as callers were told, as it is now):", paths)
        text += listed("Calls up to there, and what their callers were told:", [history.words(one) for one in range(1, last + 1)][-SHOWN:])
        text += f"\nRepeat it with seed={disk.seed}, points={disk.points}: {len(disk.crashes)} of {disk.met} crashes were looked at."
        return CrashAssertionError(text, lsn=lsn, paths=paths, point=crash.point)
