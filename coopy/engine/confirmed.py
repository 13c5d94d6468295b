"""A call that returns only when others have it, too: durable here and executed, then confirmed there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coopy.action import Outcome
from coopy.engine.commit import SharedEngine
from coopy.engine.entrance import moment_of
from coopy.engine.keyed import call_keyed
from coopy.engine.once import ONCE
from coopy.error import CoopyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.engine.commit import Entry

__all__ = ["ConfirmedEngine"]


def _at_once(_lsn: int, _within: float | None = None) -> None:
    """Nobody has to confirm."""


class ConfirmedEngine(SharedEngine):
    """`confirm(lsn)` returns when enough others have this action, or raises UnconfirmedError. It is called without any lock.

    `confirm(lsn, seconds)` says how long to wait at most. Who has an action has all before it.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.confirm: Callable[..., None] = _at_once

    def call(self, method: str, args: tuple[object, ...], kwargs: dict[str, object]) -> Any:
        """As SharedEngine.call; what the action raised is told only if others have it."""
        if moment_of() is not None and method != ONCE:
            return call_keyed(self, method, args, kwargs)
        entry = self._entry(method, args, kwargs)
        self._take_part(entry)
        self._confirm(entry)
        return self.answer(entry.outcome)

    def call_beside(self, method: str, args: tuple[object, ...], kwargs: dict[str, object]) -> Any:
        """As SharedEngine.call_beside; the same."""
        entry = self._entry(method, args, kwargs)
        self._fly(entry)
        try:
            return self.answer_beside(entry.outcome)
        finally:
            self._confirm(entry)

    def confirm_known(self, lsn: int) -> None:
        """As Engine.confirm_known."""
        self.confirm(lsn)

    def is_to_confirm(self, entry: Entry) -> bool:
        """Whether others must have this action before its caller hears how it ended."""
        outcome = entry.outcome
        refused = type(outcome) is Outcome and isinstance(outcome.error, CoopyError)  # no room, closed: it did not happen
        return self.confirm is not _at_once and not refused

    def _confirm(self, entry: Entry) -> None:
        if self.is_to_confirm(entry):
            self.confirm(entry.lsn)
