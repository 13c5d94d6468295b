"""A key for the next action, so that it happens once however often it is asked for: `with once("request-4711"): wiki.pay(...)`.

Here is what the caller says: the key, for how long it is to be remembered, and that it is for one action. It stands where the hot path looks
anyway (`coopy.clock.moment`), so that a call without a key pays nothing. What is remembered, and where, is the engine's (engine/once.py).

A context variable: each thread and each asyncio task has its own; a task made inside of the block, and `asyncio.to_thread`, have that of the
block; a thread made there has none.
"""

from __future__ import annotations

import weakref
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from coopy.clock import Marker, moment, running
from coopy.error import UsageError

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Key", "Once", "key_in_force", "once"]

WEEK = timedelta(days=7)
MICROSECOND = timedelta(microseconds=1)
LONGEST = 1 << 62  # microseconds


class Key(Marker):
    """One key in its block. `within`: how long to remember it at least, in microseconds, None for ever; `most`: how many keys to remember.

    `block`: gives None where it was torn down by an interrupt, so that it never said its end.
    """

    __slots__ = ("block", "method", "most", "name", "over", "within")

    def __init__(self, block: Once, name: str, within: int | None, most: int | None) -> None:
        super().__init__()
        self.block, self.name, self.within, self.most = weakref.ref(block), name, within, most
        self.method = ""
        self.over = False

    def claim(self, method: str) -> None:
        """The key is for this call. Raises UsageError where it was for another, or where its block has ended."""
        if self.over:
            what = f"{method}() was called by a task that began in the block of once({self.name!r}), which has ended. Nothing was recorded."
            raise UsageError(f"{what} Wait for the task inside of the block, or begin it outside.", key=self.name, method=method)
        if self.method:
            what = f"{method}() is the second action in the block of once({self.name!r}), after {self.method}(). Nothing was recorded."
            raise UsageError(
                f"{what} One key is for one action: give each its own, or write a method of the domain that does both.",
                key=self.name, method=method,
            )  # fmt: skip
        self.method = method

    def release(self) -> None:
        """The call has no outcome, so that it may be tried again in the same block."""
        self.method = ""


class Once:
    """The block of a key. It may be entered again, for the same action again, also by several threads."""

    def __init__(self, name: str, within: int | None, most: int | None) -> None:
        self._name, self._within, self._most = name, within, most

    def __enter__(self) -> None:
        if running() is not None:
            what = f"once({self._name!r}) stands inside of an action: a key says that a call from outside happens once. Nothing was done with it."
            raise UsageError(f"{what} Put it around the call of the proxy.", key=self._name)
        before = moment.get()
        try:
            moment.set(Key(self, self._name, self._within, self._most))
        except BaseException:  # an interrupt: the block is not entered, and whoever keeps the error keeps this block alive
            moment.set(before)
            raise

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        try:
            self._leave()
        except BaseException:  # an interrupt, as above
            self._leave()
            raise

    def _leave(self) -> None:
        """May be repeated."""
        key = moment.get()
        if isinstance(key, Key) and key.block() is self:  # else it is left in another context than it was entered in
            key.over = True
            moment.set(key.before)


def key_in_force() -> Key | None:
    """The key of the block that this is called in. What an interrupt left behind at the edge of a block is cleared away."""
    now = moment.get()
    while isinstance(now, Key) and not now.over and now.block() is None:
        now = now.before
        moment.set(now)
    while isinstance(now, Marker) and not isinstance(now, Key):
        now = now.before
    return now if isinstance(now, Key) else None


def once(key: str, *, within: timedelta | None = WEEK, most: int | None = None) -> Once:
    """A block in which one action happens once: with the same key again, also after a restart, it gives what it gave the first time.

    The first call is recorded with the key, runs, and its outcome is remembered by value: what it returned, or the exception that it raised.
    A later one with the same key, method and arguments gets a copy of that and runs nothing. Raises UsageError where the key comes with another
    method or other arguments, for a second action in the block, and for an `@unlocked` one. Queries in the block are as they are anywhere.

    `within`: for how long the key is remembered, by the time of the actions; None: for ever. `most`: the system then keeps this many keys at
    most, the newest. An action that was undone (`@abort_exception`, or it used a proxy) is not remembered: it did not happen.
    """
    _check(key, within, most)
    return Once(key, None if within is None else within // MICROSECOND, most)


def _check(key: Any, within: Any, most: Any) -> None:
    if type(key) is not str or not key:
        raise UsageError(f"once({key!r}): a key is a string, and not empty.", option="key")
    if within is not None and (not isinstance(within, timedelta) or not timedelta() < within or within // MICROSECOND > LONGEST):
        raise UsageError(
            f"within={within!r} is not possible: it is a timedelta of more than nothing (146,000 years at most), or None.",
            option="within",
        )
    if most is not None and (type(most) is not int or not 0 < most <= LONGEST):
        raise UsageError(f"most={most!r} is not possible: it is a number from 1 on, or None for any.", option="most")
