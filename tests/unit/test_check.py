"""A class with a method that cannot be an action, or with a mark that means nothing where it stands, is no domain; any other is."""

from __future__ import annotations

import contextlib
import functools
from typing import Any

import pytest

from coopy.decorators import abort_exception, readonly, unlocked
from coopy.error import UsageError
from coopy.proxy import check_class


def plain(self: Any, *args: Any) -> Any:
    return args


def generator(self: Any) -> Any:
    yield self


async def coroutine(self: Any) -> Any:
    return self


async def several(self: Any) -> Any:
    yield self


def copy(function: Any) -> Any:
    """A function of its own, to be marked."""
    return type(function)(function.__code__, function.__globals__, function.__name__)


def of(name: str, member: Any) -> type:
    """A class with this one member."""
    return type("X", (), {name: member})


def with_setter(function: Any) -> property:
    return property(plain).setter(function)


MEANINGLESS = [
    *((name, mark(copy(plain)), "X") for name in ("__init__", "__new__", "__del__", "__getattr__") for mark in (readonly, unlocked, abort_exception)),
    *((name, mark(copy(plain)), "query|lock") for name in ("__len__", "__eq__", "__iter__", "__add__") for mark in (unlocked, abort_exception)),
    ("p", property(abort_exception(copy(plain))), "query"), ("p", property(unlocked(copy(plain))), "lock"),
    ("p", functools.cached_property(abort_exception(copy(plain))), "query"),
    ("p", with_setter(readonly(copy(plain))), "setter of X.p"), ("p", with_setter(unlocked(copy(plain))), "setter of X.p"),
    ("p", property(plain).deleter(abort_exception(copy(plain))), "deleter of X.p"),
    *((("m", kind(mark(copy(plain))), "no state")) for kind in (staticmethod, classmethod) for mark in (readonly, unlocked, abort_exception)),
    ("__call__", unlocked(readonly(copy(plain))), "lock"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "member", "why"), MEANINGLESS)
def test_a_mark_that_means_nothing_is_refused(name: str, member: Any, why: str) -> None:
    """The error names the mark and the method."""
    with pytest.raises(UsageError, match=rf"@\w+ means nothing on .*X\.{name}") as caught:
        check_class(of(name, member))
    assert any(one in str(caught.value) for one in why.split("|"))


NOT_IN_ONE_PIECE = [
    ("m", coroutine, "async"), ("m", readonly(copy(coroutine)), "async"), ("m", several, "async"), ("m", generator, "generator"),
    ("__call__", generator, "generator"), ("m", functools.partialmethod(generator), "generator"), ("m", contextlib.contextmanager(generator), "context manager"),
    ("m", readonly(contextlib.contextmanager(generator)), "context manager"), ("m", readonly(contextlib.asynccontextmanager(several)), "context manager"),
    *((name, member, "asynchronous") for name in ("__aiter__", "__anext__", "__aenter__", "__aexit__", "__await__") for member in (plain, coroutine)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "member", "why"), NOT_IN_ONE_PIECE)
def test_what_does_not_run_in_one_piece_is_refused(name: str, member: Any, why: str) -> None:
    """Generators, coroutines, context managers, asynchronous special methods."""
    with pytest.raises(UsageError, match=rf"X\.{name} is .*{why}"):
        check_class(of(name, member))
    check_class(of("_" + name.strip("_"), member))  # a private method is the domain's own affair


@pytest.mark.parametrize("member", [functools.cache(copy(plain)), functools.lru_cache(8)(abort_exception(copy(plain)))])
def test_an_action_that_is_cached_is_refused(member: Any) -> None:
    """Whether it does anything would depend on calls that a snapshot does not know of."""
    with pytest.raises(UsageError, match=r"X\.m is cached by functools"):
        check_class(of("m", member))
    check_class(of("_m", member))


MEANINGFUL = [
    *(("m", mark(copy(plain))) for mark in (readonly, unlocked, abort_exception)), ("m", readonly(unlocked(copy(plain)))), ("m", readonly(copy(generator))),
    ("m", functools.cache(readonly(copy(plain)))),
    *(("__setitem__", mark(copy(plain))) for mark in (readonly, unlocked, abort_exception)), ("__len__", readonly(copy(plain))),
    ("__iter__", generator), ("__call__", abort_exception(copy(plain))), ("__exit__", abort_exception(copy(plain))), ("__iadd__", unlocked(copy(plain))),
    ("p", property(readonly(copy(plain)))), ("p", with_setter(abort_exception(copy(plain)))), ("p", functools.cached_property(readonly(copy(plain)))),
    ("m", functools.partialmethod(abort_exception(copy(plain)), 1)), ("m", functools.singledispatchmethod(abort_exception(copy(plain)))),
    ("_m", abort_exception(copy(plain))), ("__aiter__", None), ("m", staticmethod(coroutine)), ("m", classmethod(generator)), ("m", 3), ("m", of("q", coroutine)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "member"), MEANINGFUL)
def test_a_mark_that_means_something_is_not(name: str, member: Any) -> None:
    """Nor is what no proxy calls."""
    check_class(of(name, member))
