"""The words every room speaks about an action. Frozen values; the hot paths pass an action's stamp and arguments as they are, without an object."""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import Any, Literal

import msgspec

__all__ = ["Action", "Outcome", "described", "type_name"]


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """A recorded action, as a value. `time`: the action's own, in the zone that was local then.

    `method`: of a property's setter "name="; `args`, `kwargs`: what the caller passed, copies; `key`: of `coopy.once`, None without. `outcome`:
    how it ended, as far as the journal says; "skipped" is one that was undone, or left out by an operator. `error`: what it raised, or why it
    was undone, as "module.Name"; else empty.
    """

    lsn: int
    time: datetime
    method: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    key: str | None
    outcome: Literal["returned", "raised", "skipped", "unknown"]
    error: str


class Outcome(msgspec.Struct, frozen=True):
    """How an action ended, if not with a plain result: with an exception. `undo`: memory must be as it was before it; `untouched`: it still is."""

    error: BaseException
    undo: bool = False
    untouched: bool = False


def type_name(error: BaseException) -> str:
    """How the journal names an exception's type: "module.Name"."""
    return f"{type(error).__module__}.{type(error).__qualname__}"


def described(error: BaseException) -> str:
    """What it is and says, as far as it says anything."""
    name, text = type_name(error), ""
    with contextlib.suppress(Exception):
        text = str(error)
    return f"{name}: {text}" if text else name
