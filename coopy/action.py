"""The words every room speaks about an action. Frozen values; the hot paths pass an action's stamp and arguments as they are, without an object."""

from __future__ import annotations

import contextlib

import msgspec

__all__ = ["Outcome", "described", "type_name"]


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
