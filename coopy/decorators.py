"""How a method or a class says what it is. Each gives back the same thing with a mark on it; nothing happens at run time.

@readonly           a query: not recorded, must not change anything
@unlocked           coopy takes no lock around the call: the method does its own locking
@abort_exception    if it raises, memory is put back as it was before the call
@was("old")         what this method or class was called before: what is stored under that name leads here
@upgrade(from_=1)   makes today's state of an object of that version's
"""

from __future__ import annotations

import functools
from types import FunctionType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from coopy.error import UsageError
from coopy.kinds import ACTION_SPECIALS, STAND_IN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["abort_exception", "claims_of", "marks_of", "readonly", "unlocked", "upgrade", "was"]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

MARK = "__coopy__"
CLAIMS = "__coopy_was__"
VERSION = "__coopy_upgrade__"
CLAIMANTS: dict[
    tuple[str, str], None
] = {}  # module and qualified name of every class that ever had a claim; what holds is read from the class
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


def was(old: str) -> Callable[[T], T]:
    """This method or class had another name before: what the journal and the snapshots hold under that one leads here. May be repeated.

    On a class: `"Name"` for one at the same place, else `"module:Name"`. On a method: the name of a former action of the class; on a private one
    also of an action that is there today: then it runs the recorded calls that today's parameters do not take.
    Raises UsageError for what was never a name.
    """

    def mark(thing: T) -> T:
        if isinstance(thing, type):
            _claim_class(thing, old)
        else:
            _claim_method(thing, old)
        return thing

    return mark


def _claim_class(kind: type, old: Any) -> None:
    home = "__main__" if kind.__module__ == STAND_IN else kind.__module__
    module, colon, name = old.partition(":") if isinstance(old, str) else ("", "", "")
    if not colon:
        outer = kind.__qualname__.rpartition(".")[0] if "." not in module else ""
        module, name = home, f"{outer}.{module}" if outer else module
    if not all(part.isidentifier() for part in f"{module}.{name}".split(".")):
        raise UsageError(f'@was({old!r}) on {kind.__qualname__} is not possible: it takes "Name" or "module:Name".')
    if (module, name) == (home, kind.__qualname__):
        raise UsageError(f"@was({old!r}) on {kind.__qualname__} says the name that it has. Take it away.")
    setattr(kind, CLAIMS, (*vars(kind).get(CLAIMS, ()), f"{module}:{name}"))
    CLAIMANTS[home, kind.__qualname__] = None


def _claim_method(member: Any, old: Any) -> None:
    _refuse_no_method(member, "was")
    name = old.removesuffix("=") if isinstance(old, str) else ""
    if not name.isidentifier() or (name.startswith("_") and name not in ACTION_SPECIALS):
        raise UsageError(f"@was({old!r}) on {getattr(member, '__qualname__', member)} is not possible: no action had that name.")
    _put(member, CLAIMS, (*getattr(member, CLAIMS, ()), old), "was")


def upgrade(*, from_: int) -> Callable[[T], T]:
    """This static or class method takes the state of an object of its class as it was in version `from_`, and gives that of the next version.

    The state is a dictionary of attributes by name (slots, too), a new one each time; where the class or a base defines `__getstate__`, what that gave.
    A class's version is one more than the highest `from_` of it, 1 without any. Steps follow one another: 1 to 2, 2 to 3. They run when a
    snapshot or a recorded argument is read, before `__setstate__`. Raises UsageError for what is no version, and on anything else.
    """

    def mark(function: T) -> T:
        if type(from_) is not int or from_ < 1:
            raise UsageError(f"@upgrade(from_={from_!r}) is not possible: versions are 1, 2, 3 and so on.")
        inner = getattr(function, "__func__", function)
        if isinstance(function, type) or not callable(inner):
            raise UsageError(f"@upgrade marks a static or class method; it was given {function!r}.")
        _put(inner, VERSION, from_, "upgrade")
        return function

    return mark


def claims_of(member: Any) -> tuple[str, ...]:
    """The former names of a method, also through wrappers."""
    if _is_bare(member):
        return ()
    found: dict[str, None] = {}
    for one in _wrapped(member):
        found.update(dict.fromkeys(getattr(one, CLAIMS, ())))
    return tuple(found)


def marks_of(member: Any) -> frozenset[str]:
    """The marks of a function, also through properties, wrappers made by `functools.wraps`, and partial methods."""
    marks: frozenset[str] = frozenset()
    if _is_bare(member):
        return marks
    for one in _wrapped(member):
        marks |= getattr(one, MARK, frozenset())
    return marks


def _is_bare(member: Any) -> bool:
    """Whether this is a function of which nothing was ever said, as most are."""
    return type(member) is FunctionType and not member.__dict__


def _wrapped(member: Any) -> Iterator[Any]:
    """A member and what it wraps, as far as 100 wrappers: a chain that long is a circle."""
    for _ in range(100):
        if member is None:
            return
        yield member
        member = next(
            (inner for name in ("fget", "func", "__wrapped__", "__func__") if (inner := getattr(member, name, None)) is not None), None
        )


def _mark(member: Any, mark: str) -> None:
    _refuse_no_method(member, mark)
    marks = marks_of(member) | {mark}
    for pair, why in NOT_TOGETHER.items():
        if pair <= marks:
            raise UsageError(
                f"{getattr(member, '__qualname__', member)} cannot be both {' and '.join('@' + one for one in sorted(pair))}: {why}."
            )
    _put(member, MARK, marks, mark)


def _refuse_no_method(member: Any, mark: str) -> None:
    if isinstance(member, staticmethod | classmethod):
        raise UsageError(f"@{mark} means nothing on a static or class method: it sees no state.")
    if isinstance(member, property):
        raise UsageError(f"@{mark} goes below @property: on the function.")
    how = "" if mark == "was" else ", without parentheses"
    if isinstance(member, type) or not (callable(member) or isinstance(member, functools.partialmethod)):
        raise UsageError(f"@{mark} marks a method{how}; it was given {member!r}.")


def _put(member: Any, name: str, value: object, mark: str) -> None:
    try:
        setattr(member, name, value)
    except AttributeError:
        raise UsageError(f"@{mark} marks a method where its class defines it; {member!r} cannot be marked.") from None
