"""How a method says what it is. Each gives back the same function with a mark on it; nothing happens at run time.

@readonly           a query: not recorded, must not change anything
@unlocked           coopy takes no lock around the call: the method does its own locking
@abort_exception    if it raises, memory is put back as it was before the call
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from coopy.error import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["abort_exception", "marks_of", "readonly", "unlocked"]

P = ParamSpec("P")
R = TypeVar("R")

MARK = "__coopy__"
NOT_TOGETHER = {
    frozenset({"readonly", "abort_exception"}): "a query changes nothing that could be put back",
    frozenset({"unlocked", "abort_exception"}): "what runs beside others cannot be put back alone",
}


def readonly(function: Callable[P, R]) -> Callable[P, R]:
    """A query: it is not recorded, runs one at a time with the actions, and must not change the state. Raises UsageError where it means nothing."""
    _mark(function, "readonly")
    return function


def unlocked(function: Callable[P, R]) -> Callable[P, R]:
    """Coopy takes no lock around the call; the method does its own locking. Recorded unless also `@readonly`.

    It runs on its caller's thread once its record is durable; snapshots wait for it. Its order against others is that of arrival in the
    journal, which replay keeps, and the live run only as far as the method's own locks see to it.
    """
    _mark(function, "unlocked")
    return function


def abort_exception(function: Callable[P, R]) -> Callable[P, R]:
    """If the method raises, memory is as before the call, now and after every restart. A call that succeeds costs nothing."""
    _mark(function, "abort_exception")
    return function


def marks_of(member: Any) -> frozenset[str]:
    """The marks of a function, also through properties, wrappers made by `functools.wraps`, and partial methods."""
    marks: frozenset[str] = frozenset()
    seen = 0
    while member is not None and seen < 100:  # noqa: PLR2004 - a chain that long is a circle
        marks |= getattr(member, MARK, frozenset())
        seen += 1
        member = next(
            (inner for name in ("fget", "func", "__wrapped__", "__func__") if (inner := getattr(member, name, None)) is not None), None
        )
    return marks


def _mark(member: Any, mark: str) -> None:
    if isinstance(member, staticmethod | classmethod):
        raise UsageError(f"@{mark} means nothing on a static or class method: it sees no state.")
    if isinstance(member, property):
        raise UsageError(f"@{mark} goes below @property: on the function.")
    if isinstance(member, type) or not (callable(member) or isinstance(member, functools.partialmethod)):
        raise UsageError(f"@{mark} marks a method, without parentheses; it was given {member!r}.")
    marks = marks_of(member) | {mark}
    for pair, why in NOT_TOGETHER.items():
        if pair <= marks:
            raise UsageError(
                f"{getattr(member, '__qualname__', member)} cannot be both {' and '.join('@' + one for one in sorted(pair))}: {why}."
            )
    try:
        setattr(member, MARK, marks)
    except AttributeError:
        raise UsageError(f"@{mark} marks a method where its class defines it; {member!r} cannot be marked.") from None
