"""What a result may be handed out as: no iterator that would read the state later, and nothing that is a way around the system.

    iterators of Python's own kinds      one over a list of what they give
    the domain object                    the proxy
    a public method of it                the proxy's
    any other way to it                  a stand-in that refuses when it is used: private methods, partial functions, `append` of a list
    what could only run later            the same: coroutines, asynchronous generators (closed before), endless iterators

A stand-in rather than an error: what the action did is done and recorded, and a restart, where nobody takes the result, must see the same.
"""

from __future__ import annotations

import array
import collections
import contextlib
import functools
import itertools
import re
from types import AsyncGeneratorType, BuiltinMethodType, CoroutineType, FunctionType, GeneratorType, MethodType, MethodWrapperType
from typing import TYPE_CHECKING, Any, NoReturn

from coopy.error import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["UNSETTLED", "Withheld", "listed", "settled", "withheld"]


class _Indexed:
    """What is iterated by its indices."""

    def __getitem__(self, index: int) -> int:
        raise IndexError


_SOURCES: tuple[Any, ...] = (
    [], (), {}, set(), "", "é", b"", bytearray(), range(0), range(1 << 70), {}.values(), {}.items(), memoryview(b""), array.array("b"),
    collections.deque(), collections.OrderedDict(), collections.OrderedDict().values(), collections.OrderedDict().items(), _Indexed(),
)  # fmt: skip
_REVERSIBLE: tuple[Any, ...] = ([], {}, {}.values(), {}.items(), range(0), range(1 << 70), collections.deque(), collections.OrderedDict())
# Types, not objects: with these alive at the end of the interpreter, CPython 3.12.1 crashes.
_LAZY: tuple[type, ...] = (type(iter(int, 0)), type(itertools.tee(())[0]), type(re.finditer("", "")))
ITERATORS: frozenset[type] = frozenset((
    GeneratorType, enumerate, filter, map, reversed, zip, itertools.accumulate, itertools.chain, itertools.compress, itertools.dropwhile,
    itertools.filterfalse, itertools.islice, itertools.pairwise, itertools.starmap, itertools.takewhile, itertools.zip_longest,
    *(type(iter(one)) for one in _SOURCES), *(type(reversed(one)) for one in _REVERSIBLE), *_LAZY,
    *([itertools.batched] if hasattr(itertools, "batched") else []),
))  # fmt: skip
NOT_IN_ONE_PIECE = (CoroutineType, AsyncGeneratorType, itertools.cycle)
BOUND = (MethodType, BuiltinMethodType, MethodWrapperType)
NAMED = (FunctionType, BuiltinMethodType, MethodWrapperType)

UNSETTLED = ITERATORS.union((itertools.groupby, functools.partial), NOT_IN_ONE_PIECE, BOUND)  # results of all other types are what they are


class Withheld:
    """Stands for a result that is not handed out. Raises UsageError, which says why, when it is used."""

    __slots__ = ("_why",)

    def __init__(self, why: str) -> None:
        self._why = why

    def _refuse(self, *_args: object, **_kwargs: object) -> NoReturn:
        raise UsageError(self._why)

    __call__ = __iter__ = __next__ = send = __await__ = __aiter__ = __anext__ = _refuse

    def __repr__(self) -> str:
        return f"<withheld: {self._why}>"


def settled(result: object, root: object, expose: Callable[[object], object]) -> object:
    """What to hand out for a result that is `root` or of a type in UNSETTLED. Raises only what an iterator raises.

    `expose` raises nothing, and says what to hand out for a way to `root`.
    """
    kind: type = type(result)
    if kind in ITERATORS:
        return iter(list(result))  # type: ignore[call-overload]
    if kind is itertools.groupby:
        return iter([(key, iter(list(group))) for key, group in result])  # type: ignore[attr-defined]
    if kind in NOT_IN_ONE_PIECE:
        return _unfinished(result)
    if result is root or _leads_to(result, root):
        return expose(result)
    return result


def listed(result: Any, root: object) -> object:
    """What an iteration of `root` gives, whatever its iterator is, to be settled. Raises what it raises, and UsageError for one that is endless."""
    if type(result) is itertools.cycle:
        _unfinished(result)()
    return result if result is root or type(result) in UNSETTLED else iter(list(result))


def withheld(result: object) -> Withheld:
    """The stand-in for a way to the domain object."""
    inner = result.__func__ if type(result) is MethodType else result
    what = inner.__qualname__ if type(inner) in NAMED else type(inner).__qualname__  # type: ignore[attr-defined]
    return Withheld(
        f"{what} was the result of a call, but it leads to the domain object itself: what it did would not be recorded. "
        "Write a public method that does it, and call that."
    )


def _unfinished(result: Any) -> Withheld:
    name = type(result).__name__
    if type(result) is itertools.cycle:
        return Withheld(f"A {name} was the result of a call: it is endless, and would read the state later. Return what it goes round.")
    if type(result) is CoroutineType:
        with contextlib.suppress(Exception):
            result.close()
    return Withheld(
        f"A {name} was the result of a call: it would run later, outside of the system. Make it a plain method, and await outside."
    )


def _leads_to(result: Any, root: object) -> bool:
    """Whether calling it would act on the domain object: a method of it, also inside of partial functions."""
    waiting, seen = [result], 0
    while waiting and seen < 100:  # noqa: PLR2004 - nobody nests so deep
        one = waiting.pop()
        seen += 1
        if type(one) is functools.partial:
            if any(part is root for part in (*one.args, *one.keywords.values())):
                return True
            waiting += (one.func, *one.args, *one.keywords.values())
        elif type(one) in BOUND and one.__self__ is root:
            return True
    return False
