"""One machine: a disk that forgets what was not synced, and perhaps a process with a system in its directory.

It remembers what the process must find there when it comes again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.disk.fake import FakeDisk
from coopy.engine.following import FollowingEngine
from coopy.engine.gate import CLOSED
from coopy.engine.opened import open_system
from coopy.engine.opening import Place, domain_name
from coopy.engine.system import Origin, Settings, System
from coopy.replication.follower import Follower, Newcomer
from coopy.replication.handshake import GENERATION
from coopy.replication.shipping import Shipper
from coopy.wiring.opening import adopt
from tests.words import Word

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from coopy.manifest import Listed
    from coopy.replication.auth import Verifiers
    from coopy.replication.wire import Welcome

DIRECTORY = "/d"
RUNNING: list[System] = []  # each has threads of its own, which whoever forgets a machine leaves behind


class _EmptyError(Exception):
    """A replica's directory is empty: a session has to fill it."""


def _empty(_place: Place) -> None:
    raise _EmptyError


def end(system: System) -> None:
    """Its threads end, and nobody can use it any more."""
    for timer in system._timers:
        timer.stop()
    system.engine.end(CLOSED)


class Clock:
    """The only time there is."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def wall(self) -> int:
        """Nanoseconds, as time.time_ns gives them."""
        return 1_700_000_000_000_000_000 + int(self.now * 1_000_000_000)


class WatchedFollower(Follower):
    """It tells its machine when what is there is about to be replaced, and when it was."""

    machine: Machine

    def replace(self, welcome: Welcome, temporary: str) -> None:
        self.machine.owe()
        self.machine.perhaps_cut()
        super().replace(welcome, temporary)
        self.machine.replaced()


class WatchedNewcomer(Newcomer):
    """Its machine may lose its power."""

    machine: Machine

    def replace(self, welcome: Welcome, temporary: str) -> None:
        self.machine.perhaps_cut()
        super().replace(welcome, temporary)


class Machine:
    """`must`: LSN and numbers that were durable when the process ended; None where a replacement was under way.

    `owed`: bytes of files that were to go to quarantine, and may never vanish. `epoch`: the highest that was seen in the directory.
    `stale`: it has led, and has not followed anybody since. `aside`: the numbers that it had before its state was replaced.
    """

    def __init__(self, number: int, clock: Clock, verifiers: Verifiers, dice: random.Random) -> None:
        self.number, self._clock, self._verifiers, self._dice = number, clock, verifiers, dice
        self.disk = FakeDisk(dice.getrandbits(32))
        self.system: System | None = None
        self.home: WatchedFollower | Newcomer | None = None
        self.shipper: Shipper | None = None
        self.boots = self.epoch = self.replacements = 0
        self.must: tuple[int, list[object]] | None = (0, [])
        self.seen: tuple[int, list[object]] = (0, [])  # what it showed last
        self.owed: list[bytes] = []
        self._perhaps_owed: list[bytes] = []
        self.aside: set[int] = set()
        self._before: tuple[Listed, ...] = ()
        self.stale = self.buffered = self.cut = self.was_filled = self.rejected = False
        self.min_acks = 0
        self.cut_in_replacement = 0.0

    def __repr__(self) -> str:
        return f"machine {self.number}"

    # --- what it is ---------------------------------------------------------------------------------------------------------

    @property
    def place(self) -> Place:
        return Place(self.disk, DIRECTORY, b"", domain_name(Word))

    @property
    def is_up(self) -> bool:
        return self.system is not None or self.home is not None

    @property
    def leads(self) -> bool:
        """Whether it takes actions, as far as it knows."""
        return self.shipper is not None

    @property
    def running(self) -> System:
        assert self.system is not None
        return self.system

    @property
    def lsn(self) -> int:
        return self.running.engine.executed

    @property
    def generation(self) -> int:
        """Of the newest primary that the directory knows of."""
        return self.known_epoch() // GENERATION

    @property
    def own_generation(self) -> int:
        """Of its journal: in which it leads, whatever it was told of others."""
        return self.running.engine.journal.epoch // GENERATION

    def known_epoch(self) -> int:
        system = self.running
        return max(system.engine.journal.epoch, system.archive.manifest.epoch)

    @property
    def kept(self) -> list[object]:
        root = self.running.root
        assert isinstance(root, Word)
        return root.kept

    @property
    def numbers(self) -> set[int]:
        """Of the actions that are in its state."""
        return {one for one in self.kept if isinstance(one, int)}

    def held(self) -> list[object] | None:
        """The numbers that are on its disk, as far as anybody can know."""
        if self.system is not None:
            return self.seen[1]
        return None if self.must is None else self.must[1]

    # --- a process comes and goes -------------------------------------------------------------------------------------------

    def settings(self) -> Settings:
        durability = "buffered" if self.buffered else "sync"
        return Settings(durability=durability, sync_interval=3600, segment_bytes=4096, confirmed=self.min_acks > 0)  # type: ignore[arg-type]

    def start(self, origin: Origin | None) -> None:
        """Open the directory; with an origin as a replica, and where nothing is there yet as a newcomer."""
        self.boots += 1
        try:
            system = open_system(
                self.place, Word, lambda root, moment: adopt(root, Word, moment), ("tests",), self.settings(), origin
            )  # fmt: skip
        except _EmptyError:
            self.home = WatchedNewcomer(self.place, domain_name(Word))
            self.home.machine = self
            self._settle_debts()
            return
        RUNNING.append(system)
        system.engine.wall = self._clock.wall
        self.system, self.was_filled = system, True
        self.seen = self.lsn, self.kept[:]
        self._found()

    def start_following(self) -> None:
        self.rejected = False
        self.start(Origin(lambda place, _initial: _empty(place), primary="a primary"))
        if self.system is not None:
            engine = self.system.engine
            assert isinstance(engine, FollowingEngine)
            home = self.home = WatchedFollower(engine, "a primary", self._clock)
            home.machine = self

    def start_leading(self, min_acks: int) -> None:
        self.start(None)
        self.lead(min_acks)

    def lead(self, min_acks: int) -> None:
        """Ship from now on."""
        self.min_acks = min_acks
        self.shipper = Shipper(self.running, self._verifiers, min_acks, self._clock)
        self.home, self.stale = None, True

    def promote(self, min_acks: int, after: int) -> int:
        assert isinstance(self.home, Follower)
        before = self.epoch
        self.perhaps_cut()
        epoch = self.home.promote(after)
        assert epoch // GENERATION > before // GENERATION, f"{self}: promoted to epoch {epoch}, and {before} was known"
        self.lead(min_acks)
        return epoch

    def _found(self) -> None:
        """What was durable when the last process ended must be there."""
        if self.must is None:
            self._settle_debts()
            return
        lsn, kept = self.must
        assert self.lsn >= lsn, f"{self}: LSN {lsn} was on stable storage, and now there is only LSN {self.lsn}"
        assert self.kept[: len(kept)] == kept, f"{self}: another history than before the restart"

    def _settle_debts(self) -> None:
        """A replacement was cut off. Where it had not begun, nothing is owed."""
        segments = () if self.system is None else self.system.archive.manifest.segments
        if segments[: len(self._before)] != self._before:
            self.owed += self._perhaps_owed
        self._perhaps_owed = []

    def stop(self, how: Callable[[FakeDisk], FakeDisk]) -> None:
        """The process ends without a word."""
        if self.system is not None:
            if self._perhaps_owed:
                self.must = None
            else:
                risky = self.buffered and self.leads and self.cut
                self.must = (min(self.system.engine.journal.durable, self.seen[0]), []) if risky else self.seen
            end(self.system)
        self._forget()
        self.disk = how(self.disk)

    def close(self) -> None:
        """The process ends as it should."""
        self.must = self.lsn, self.kept[:]
        self.running.close()
        self._forget()

    def _forget(self) -> None:
        if self.system in RUNNING:
            RUNNING.remove(self.system)
        self.system = self.home = self.shipper = None
        self.boots += 1

    def wipe(self) -> None:
        """The operator puts the directory away and begins with an empty one."""
        self.disk, self.must, self.epoch, self.stale = FakeDisk(self._dice.getrandbits(32)), (0, []), 0, False
        self.was_filled = self.rejected = False
        self.owed, self._perhaps_owed = [], []

    # --- what may not vanish -------------------------------------------------------------------------------------------------

    def owe(self) -> None:
        """All segments and snapshots are about to be replaced."""
        names = [name for name in self.disk.entries(DIRECTORY) if name.startswith(("journal-", "snapshot-")) and not name.endswith(".tmp")]
        self._before = self.running.archive.manifest.segments
        self.aside |= self.numbers
        self._perhaps_owed = [self.disk.read(f"{DIRECTORY}/{name}").rstrip(b"\0") for name in names]

    def perhaps_cut(self) -> None:
        """The power goes in the middle of what begins now."""
        if self._dice.random() < self.cut_in_replacement:
            self.disk.crash_at(len(self.disk.calls) + self._dice.randint(1, 40))

    def replaced(self) -> None:
        """And they were."""
        self.owed, self._perhaps_owed = self.owed + self._perhaps_owed, []
        self.seen, self.replacements = (self.lsn, self.kept[:]), self.replacements + 1

    def pay(self) -> None:
        """Everything that was to go to quarantine is somewhere."""
        if not self.owed:
            return
        folders = [DIRECTORY, f"{DIRECTORY}/quarantine"]
        paths = [f"{folder}/{name}" for folder in folders if self.disk.exists(folder) for name in self.disk.entries(folder)]
        contents = [self.disk.read(path) for path in paths if not path.endswith("quarantine")]
        for owed in self.owed:
            assert any(content.startswith(owed) for content in contents), f"{self}: something that was to go to quarantine has vanished"
