"""The same surface where calls are awaited: each method of the domain as a coroutine function. No event loop is known here.

What is an action and what a query is decided as in surface.py. Special methods come as functions of their own, by name: Python's operators
take no awaitable, so whoever has the loop decides which of them an operator may lead to.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from coopy.kinds import ACTION_SPECIALS
from coopy.proxy.function import make_awaited
from coopy.proxy.names import ALWAYS, ITERATIONS, QUERY_SPECIALS, member_of
from coopy.proxy.surface import in_full, is_method, without_storing

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.engine.engine import Engine
    from coopy.proxy.function import Ways

__all__ = ["awaited_methods", "awaited_specials"]


def awaited_methods(ways: Ways, engine: Engine) -> dict[str, Callable[..., Any]]:
    """The public methods by name, `self` in front; static and class methods, which see no state, run when they are awaited."""
    kind, reading = type(engine.executor.root), without_storing(engine, engine.executor.root)
    found: dict[str, Callable[..., Any]] = {}
    for name in dir(kind):
        member = member_of(kind, name)
        if name.startswith("_"):
            continue
        if isinstance(member, staticmethod | classmethod):
            found[name] = _stateless(getattr(kind, name))
        elif not isinstance(member, property) and is_method(kind, name, member):
            found[name] = make_awaited(ways, engine, name, member, reading)
    return found


def awaited_specials(ways: Ways, engine: Engine) -> dict[str, Callable[..., Any]]:
    """The special methods that the domain has, by name, `self` in front."""
    kind, reading = type(engine.executor.root), without_storing(engine, engine.executor.root)
    found: dict[str, Callable[..., Any]] = {}
    for name in (*QUERY_SPECIALS, *ALWAYS, *sorted(ACTION_SPECIALS)):
        member = member_of(kind, name)
        if member is None or isinstance(member, staticmethod | classmethod):
            continue
        if name in ACTION_SPECIALS:
            found[name] = make_awaited(ways, engine, name, member, reading)
        else:
            function = getattr(kind, name)
            root = engine.executor.root
            found[name] = _query(ways, root, reading(in_full(function, root) if name in ITERATIONS else function))
    return found


def _query(ways: Ways, root: object, function: Callable[..., object]) -> Callable[..., Any]:
    async def query(_self: object, *args: object) -> object:
        return await ways.read(function, root, *args)

    return query


def _stateless(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    async def call(_self: object, *args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return call
