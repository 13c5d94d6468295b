"""Which classes cannot be domains: those with methods that cannot be actions, and with marks that mean nothing where they stand."""

from __future__ import annotations

import contextlib
import functools
import inspect
from typing import TYPE_CHECKING, Any

from coopy.decorators import marks_of
from coopy.error import UsageError
from coopy.kinds import ACTION_SPECIALS
from coopy.proxy.names import ALWAYS, QUERY_SPECIALS, member_of, own_names

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["check_class"]

ASYNCHRONOUS = ("__aiter__", "__anext__", "__aenter__", "__aexit__", "__await__")
ALL = frozenset({"readonly", "unlocked", "abort_exception"})
NOT_ON_A_QUERY = {"abort_exception": "it is a query, which changes nothing that could be put back", "unlocked": "it is read under the lock"}
NOT_ON_A_SETTER = dict.fromkeys(("readonly", "unlocked"), "it is an action, under the lock")
NEVER = dict.fromkeys(ALL, "no call of it goes through a proxy")
_MAKERS: tuple[Any, ...] = (contextlib.contextmanager, contextlib.asynccontextmanager)
CACHED: type = type(functools.cache(lambda: None))
MANAGERS = frozenset(make(lambda: None).__code__ for make in _MAKERS)


def check_class(kind: type) -> None:
    """Raises UsageError for a class with a method that cannot be an action (it does not run in one piece) or with a mark that means nothing."""
    for name in own_names(kind):
        member = member_of(kind, name)
        _check_marks(kind, name, member)
        if name in ASYNCHRONOUS and member is not None:
            raise _cannot(kind, name, "is asynchronous: what it does would depend on an event loop. Make it a plain method.")
        if not isinstance(member, staticmethod | classmethod | type) and (not name.startswith("_") or name in ACTION_SPECIALS):
            _check_method(kind, name, member)


def _check_method(kind: type, name: str, member: Any) -> None:
    if not callable(member) and not isinstance(member, functools.partialmethod | functools.singledispatchmethod):
        return
    chain = [*_chain(member)]
    if any(getattr(one, "__code__", None) in MANAGERS for one in chain):
        raise _cannot(kind, name, "is a context manager: its end would run later, outside of the system. Make it two methods.")
    if any(isinstance(one, CACHED) for one in chain) and "readonly" not in marks_of(member):
        why = "is cached by functools: called again with the same arguments it would do nothing, until a restart, which has no cache."
        raise _cannot(kind, name, f"{why} Take the cache away.")
    function = chain[-1]
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        why = "is `async`: an action runs in one piece, so that it can be replayed. Make it a plain method and await outside of the domain."
        raise _cannot(kind, name, why)
    if inspect.isgeneratorfunction(function) and "readonly" not in marks_of(member):
        why = "is a generator: what it does would depend on how far its caller goes. Return a list, or mark it @readonly if it only reads."
        raise _cannot(kind, name, why)


def _chain(member: Any) -> Iterator[Any]:
    """A method and what it wraps, as far as 100 wrappers."""
    for _ in range(100):
        yield member
        inner = next((one for name in ("func", "__wrapped__", "__func__") if (one := getattr(member, name, None)) is not None), None)
        if inner is None:
            return
        member = inner


def _check_marks(kind: type, name: str, member: Any) -> None:
    for which, part, wrong in _judged(name, member):
        for mark in sorted(marks_of(part) & wrong.keys()):
            raise UsageError(f"@{mark} means nothing on {which} {kind.__qualname__}.{name}: {wrong[mark]}. Take it away.", method=name)


def _judged(name: str, member: Any) -> list[tuple[str, Any, dict[str, str]]]:
    """The parts of a member that may carry a mark: what they are called, the part, and which marks mean nothing there, and why."""
    if isinstance(member, property):
        return [
            ("the property", member.fget, NOT_ON_A_QUERY),
            ("the setter of", member.fset, NOT_ON_A_SETTER),
            ("the deleter of", member.fdel, NEVER),
        ]
    if isinstance(member, functools.cached_property):
        return [("the property", member, NOT_ON_A_QUERY)]
    if isinstance(member, staticmethod | classmethod):
        return [("the static or class method", member, dict.fromkeys(ALL, "it sees no state"))]
    if name.startswith("__") and name.endswith("__") and callable(member):
        return [("the special method", member, _wrong_on_special(name, marks_of(member)))]
    return []


def _wrong_on_special(name: str, marks: frozenset[str]) -> dict[str, str]:
    if name in QUERY_SPECIALS or name in ALWAYS or (name in ACTION_SPECIALS and "readonly" in marks):
        return NOT_ON_A_QUERY
    return {} if name in ACTION_SPECIALS else NEVER


def _cannot(kind: type, name: str, why: str) -> UsageError:
    return UsageError(f"{kind.__qualname__}.{name} {why}", method=name)
