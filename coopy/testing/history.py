"""What happened to a system of a scenario, action by action: what its callers were told, and how it looked then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from coopy.difference import difference
from coopy.digest import digest
from coopy.error import CorruptionError, NotSerializableError
from coopy.testing.call import Call, Told
from coopy.testing.failures import CrashAssertionError, listed
from coopy.testing.looks import Look, changing, loaded, look, lost_in_storing
from coopy.testing.restarting import Again, Kept
from coopy.wiring.systems import system_of

if TYPE_CHECKING:
    from coopy.engine.system import System

__all__ = ["Entry", "History"]

SHOWN = 5


class Entry(msgspec.Struct, frozen=True):
    """After one action (none for the first entry): the call, what its caller was told, what was seen then; the time by the clock."""

    call: Call | None
    told: Told | None
    again: Again | None
    look: Look
    wall_us: int


class History:
    """One system of a scenario. `entries[lsn]`: after that action; `kept`: how it is opened; `safe`: whether a call that returned survives a power cut."""

    def __init__(self, kept: Kept, kind: type, *, safe: bool) -> None:
        self.kept, self.kind, self.safe = kept, kind, safe
        self.entries: list[Entry] = []
        self.base: dict[str, bytes] = {}
        self.failure: CrashAssertionError | None = None
        self.proxy: Any = None

    def opened(self, proxy: object, files: dict[str, bytes]) -> None:
        """The scenario opened it, and may have done so before."""
        self.proxy = proxy
        if not self.entries:
            self.base = files
            self._look(None, None, None)
        else:
            self._check("The system was closed and opened again, and the state is not as it was when it was closed.")

    @property
    def system(self) -> System:
        """The system, as it was opened last."""
        return system_of(self.proxy)

    def before(self) -> None:
        """As Watcher says: the state must be as the last action left it."""
        self._check(
            "The state was changed by something that is no action, so no record holds it: a query or a property that changes something, "
            "or a caller that changes what a query gave."
        )

    def after(self, call: Call, kind: int, payload: bytes, told: Told) -> None:
        """As Watcher says."""
        moment = self.system.engine.executor.moment
        try:
            self._look(call, told, Again(kind, payload, self.system.engine.journal.time_us, moment.utc_offset))
        except NotSerializableError as error:  # nothing after it can be compared
            text = f"{self.kind.__qualname__}: after {call} -> {told.words}: {error}"
            self.failure = self.failure or CrashAssertionError(text, lsn=len(self.entries))
            raise

    @property
    def walls(self) -> tuple[int, ...]:
        """By LSN: the time by the clock, in microseconds."""
        return tuple(one.wall_us for one in self.entries)

    def words(self, lsn: int) -> str:
        """An action and what was told of it."""
        entry = self.entries[lsn]
        return f"{lsn}. {entry.call} -> {entry.told.words}" if entry.told is not None else "the beginning"

    def paths(self, lsn: int, state: bytes) -> tuple[str, ...]:
        """What differs between the state after an action and another one."""
        codec = self.system.engine.codec
        mine, other = (loaded(codec, one) for one in (self.entries[lsn].look.state, state))
        return tuple(map(str, difference(mine, other, SHOWN)))

    def _store(self, state: bytes) -> None:
        lsn = len(self.entries) - 1
        try:
            paths = lost_in_storing(self.system, state)
        except CorruptionError as error:
            what = f"the state cannot be stored and read back, as a snapshot does it: {error}"
            self.failure = CrashAssertionError(f"{self.kind.__qualname__}: after {self.words(lsn)}: {what}", lsn=lsn)
        else:
            if paths:
                text = f"{self.kind.__qualname__}: after {self.words(lsn)}: the state is another one when it is stored and read back, as a snapshot does it."
                self.failure = CrashAssertionError(f"{text}{listed('As it was, and as it comes back:', paths)}", lsn=lsn, paths=paths)

    def _check(self, what: str) -> None:
        lsn = len(self.entries) - 1
        root, last = self.system.root, self.entries[lsn].look
        if self.failure is None and digest(root) != last.digest:
            mine = loaded(self.system.engine.codec, last.state)
            paths = tuple(map(str, difference(mine, root, SHOWN)))
            text = f"{self.kind.__qualname__}: after {self.words(lsn)}: {what}"
            self.failure = CrashAssertionError(f"{text}{listed('As it was, and as it is:', paths)}", lsn=lsn, paths=paths)

    def _look(self, call: Call | None, told: Told | None, again: Again | None) -> None:
        before = digest(self.system.root)
        seen = look(self.proxy)
        self.entries.append(Entry(call, told, again, seen, self.system.engine.wall() // 1000))
        if self.failure is None and seen.digest != before:
            lsn, name = len(self.entries) - 1, changing(self.proxy)
            text = f"{self.kind.__qualname__}: after {self.words(lsn)}: {name} only reads, but it changes the state. No record holds that."
            self.failure = CrashAssertionError(text, lsn=lsn)
        if self.failure is None:
            self._store(seen.state)
