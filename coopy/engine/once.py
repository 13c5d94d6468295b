"""Which keys of `coopy.once` were used, and how their actions ended: a part of the system's state, beside the domain object.

An action with a key is recorded as a call of ONCE, a name that no method can have:

    once: (key, within, most, print, method, *arguments, **keyword arguments)

    within     microseconds for which it is remembered, None for ever
    most       how many keys are kept at most from then on, None for any
    print      of the arguments, so that the same key with others is told apart

Execution looks the key up here, runs the method where it is new, and remembers the outcome by value. So live, in a replay and on a replica a
key is decided at its place in the order of the journal, by the action's own time, and two in one batch are no special case. Where an action
is undone nothing here changes. Only executing actions changes it; under the state's lock.

It is made anew from what the snapshot holds whenever the domain object is: in the bytes of a state its entries stand behind the domain object,
and where there are none, nothing does. Of a node, how far it has come in the shared journal stands there too, in front of the entries.
"""

from __future__ import annotations

from collections import OrderedDict
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Any

import msgspec

from coopy.action import described
from coopy.codec import ATOMS
from coopy.digest import digest
from coopy.engine.progress import Progress
from coopy.engine.results import UNSETTLED
from coopy.error import CorruptionError, NotSerializableError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coopy.codec import Codec

__all__ = ["ONCE", "Kept", "Keys", "action_of", "print_of", "unwrapped"]

ONCE = "once:"
METHOD = 4  # where the method stands among the arguments of a call of ONCE
ATOM, COPY, SELF, RAISED, LOST = "atom", "copy", "self", "raised", "lost"  # how an outcome is kept; LOST: why it could not be
ALL_ATOMS = ATOMS | {float}
SLACK = 64


class Kept(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is remembered of a key. `expires`: microseconds since 1970, 0 for never; `value`: as `how` says."""

    key: str
    lsn: int
    expires: int
    print: str
    method: str
    how: str
    value: Any

    def check(self, method: str, print_: str) -> None:
        """Raises UsageError where the key comes with another method or with other arguments."""
        if (self.method, self.print) == (method, print_):
            return
        other = f"{method}() came with it now" if method != self.method else "now it came with other arguments"
        what = f"The key {self.key!r} was used for {self.method}() at LSN {self.lsn}, and {other}. Nothing was changed."
        raise UsageError(
            f"{what} A key is for one action: use another, or pass what was passed then (control(...).changes(since={self.lsn - 1}) shows it).",
            key=self.key, method=method, lsn=self.lsn,
        )  # fmt: skip


def unwrapped(method: str, args: Sequence[Any], kwargs: dict[str, Any]) -> tuple[str | None, str, Sequence[Any], dict[str, Any]]:
    """The key of a recorded call, None without one, and the call itself."""
    return (args[0], args[METHOD], args[METHOD + 1 :], kwargs) if method == ONCE else (None, method, args, kwargs)


def action_of(method: str, args: Sequence[Any]) -> str:
    """The name of the method that a recorded call runs, with a key or without."""
    name: str = args[METHOD] if method == ONCE else method
    return name


def print_of(method: str, args: tuple[object, ...], kwargs: dict[str, object]) -> str:
    """What tells calls of a method apart: equal for equal arguments in any process. Raises NotSerializableError."""
    try:
        return digest((args, tuple(sorted(kwargs.items(), key=lambda item: item[0]))))[:32]
    except NotSerializableError as error:
        what = f"{method}(): its arguments cannot be told from others: {error} The call was refused, nothing changed."
        raise NotSerializableError(what, method=method, where=error.where) from error


class Keys:
    """The keys of one system, oldest first. `progress`: in the shared journal, where the system is a node."""

    def __init__(self, codec: Codec) -> None:
        self.codec = codec
        self.progress: Progress | None = None
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._expiring: list[tuple[int, int, str]] = []  # a heap of (expires, LSN, key); some were forgotten otherwise

    def __len__(self) -> int:
        return len(self._kept)

    # --- in a state ----------------------------------------------------------------------------------------------------

    def values(self) -> list[Any] | None:
        """What a state holds of them; None where there is nothing."""
        ours = [self.progress.values()] if self.progress is not None else []
        return ours + [msgspec.structs.astuple(one) for one in self._kept.values()] or None

    def fill(self, values: Any) -> None:
        """Take what a state holds. Raises CorruptionError for anything else."""
        if values and type(values) is list and type(values[0]) is list:
            self.progress, values = Progress.of(values[0]), values[1:]
        try:
            kept = msgspec.convert(values or [], list[Kept])
        except msgspec.ValidationError as error:
            raise CorruptionError(f"The stored keys cannot be read: {error}. No file was changed.") from error
        self._kept = OrderedDict((one.key, one) for one in kept)
        self._gather()

    def digest(self) -> str:
        """Equal for equal keys with equal outcomes, in any process; empty where there are no keys."""
        return digest([(*msgspec.structs.astuple(one)[:-1], self._outcome(one)) for one in self._kept.values()]) if self._kept else ""

    def _outcome(self, one: Kept) -> object:
        """Why an outcome could not be kept is for people: it may name an address."""
        return None if one.how == LOST else self.codec.load_value(one.value) if one.how in {COPY, RAISED} else one.value

    # --- in execution --------------------------------------------------------------------------------------------------

    def find(self, key: str, time_us: int) -> Kept | None:
        """What is remembered of a key at this time."""
        kept = self._kept.get(key)
        return kept if kept is not None and (not kept.expires or kept.expires > time_us) else None

    def returned(self, result: object, root: object) -> tuple[str, object]:
        """How to keep what a method returned. Raises nothing but MemoryError and what is no ordinary exception."""
        if type(result) in ALL_ATOMS:
            return ATOM, result
        if result is root:
            return SELF, None
        if type(result) in UNSETTLED:
            return LOST, f"a {type(result).__name__} is read once only, or leads to the domain object; a list of what it gives is kept."
        return self._copied(COPY, result, root)

    def raised(self, error: BaseException, root: object) -> tuple[str, object]:
        """How to keep what a method raised."""
        how, value = self._copied(RAISED, error, root)
        return (how, value) if how is RAISED else (LOST, f"{described(error)}: {value}")

    def _copied(self, how: str, value: object, root: object) -> tuple[str, object]:
        try:
            data = self.codec.dump_value(value, root)
        except NotSerializableError as error:
            return LOST, str(error)
        return how, data

    def remember(self, kept: Kept, time_us: int, most: int | None) -> None:
        """Remember how an action ended, and forget what has expired by then, and the oldest beyond `most`."""
        while self._expiring and self._expiring[0][0] <= time_us:
            _, lsn, key = heappop(self._expiring)
            if key in self._kept and self._kept[key].lsn == lsn:
                del self._kept[key]
        self._kept[kept.key] = kept
        if kept.expires:
            heappush(self._expiring, (kept.expires, kept.lsn, kept.key))
        while most is not None and len(self._kept) > most:
            self._kept.popitem(last=False)
        if len(self._expiring) > 2 * len(self._kept) + SLACK:
            self._gather()

    def _gather(self) -> None:
        self._expiring = [(one.expires, one.lsn, one.key) for one in self._kept.values() if one.expires]
        heapify(self._expiring)

    def give(self, kept: Kept, root: object) -> object:
        """What the action gave: a copy of what it returned or `root`; raises a copy of what it raised. NotSerializableError where there is none."""
        if kept.how == ATOM:
            return kept.value
        if kept.how == SELF:
            return root
        if kept.how == LOST:
            raise self._not_kept(kept, f"what it gave could not be kept: {kept.value}")
        try:
            value: Any = self.codec.load_value(kept.value)
        except CorruptionError as error:
            raise self._not_kept(kept, f"what it gave cannot be read: {error}") from error
        if kept.how == RAISED:
            raise value
        return value

    def _not_kept(self, kept: Kept, why: str) -> NotSerializableError:
        what = f"{kept.method}() with the key {kept.key!r} was executed once, at LSN {kept.lsn}, and not again; but {why}"
        return NotSerializableError(
            f"{what} Look at the state; have the method return plain values.", method=kept.method, where="the outcome", key=kept.key, lsn=kept.lsn,
        )  # fmt: skip
