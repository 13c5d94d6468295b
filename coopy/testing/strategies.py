"""Hypothesis strategies for calls of a domain: its public actions, with arguments as their annotations say."""

from __future__ import annotations

import inspect
import typing
from typing import TYPE_CHECKING, Any

from coopy.decorators import marks_of
from coopy.error import UsageError
from coopy.proxy.names import member_of
from coopy.testing.call import Call

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hypothesis.strategies import SearchStrategy

__all__ = ["actions_of", "calls", "need_hypothesis", "one_call"]

SPECIALS = ("__setitem__", "__delitem__", "__call__")
SEVERAL = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def calls(
    domain: type,
    *,
    arguments: Mapping[str, SearchStrategy[Any]] | None = None,
    only: Iterable[str] | None = None,
    min_size: int = 0,
    max_size: int = 20,
) -> SearchStrategy[list[Call]]:
    """Lists of calls of a domain's actions, for `assert_replayable` and the like. Needs Hypothesis.

    Actions are public methods that are not `@readonly`, setters of properties ("title=") and `__setitem__`, `__delitem__`, `__call__`; `only`: these of them.
    Arguments are what `hypothesis.strategies.from_type` makes of their annotations; `arguments` says otherwise, by the parameter's name ("amount") or by
    method and name ("deposit.amount"). Parameters with a default are left out now and then; those without an annotation are, always.

    Raises UsageError for an argument that nothing is known of, and for names that the domain does not have.
    """
    need_hypothesis()
    from hypothesis import strategies as st

    return st.lists(one_call(domain, arguments=arguments, only=only), min_size=min_size, max_size=max_size)


def one_call(
    domain: type, *, arguments: Mapping[str, SearchStrategy[Any]] | None = None, only: Iterable[str] | None = None
) -> SearchStrategy[Call]:
    """The same for a single call."""
    need_hypothesis()
    from hypothesis import strategies as st

    actions = actions_of(domain)
    chosen = list(actions) if only is None else list(only)
    if missing := [name for name in chosen if name not in actions]:
        raise UsageError(f"{domain.__qualname__} has no action {missing[0]!r}. It has {', '.join(actions) or 'none'}.")
    if not chosen:
        raise UsageError(f"{domain.__qualname__} has no actions: there is nothing to call.")
    said = dict(arguments or {})
    used: set[str] = set()
    found = st.one_of([_calls_of(domain, name, actions[name], said, used) for name in chosen])
    if unused := said.keys() - used:
        raise UsageError(f"arguments= names {min(unused)!r}, but no action that is called has such a parameter.")
    return found


def need_hypothesis() -> None:
    """Raises UsageError where Hypothesis is not installed."""
    try:
        import hypothesis  # noqa: F401 - whether it is there
    except ImportError:
        raise UsageError("This part of coopy.testing needs Hypothesis: pip install hypothesis.") from None


def actions_of(domain: type) -> dict[str, Any]:
    """The functions of a class that are actions, by the name that a Call has."""
    found: dict[str, Any] = {}
    for name in dir(domain):
        member = member_of(domain, name)
        if isinstance(member, property):
            if member.fset is not None and not name.startswith("_"):
                found[f"{name}="] = member.fset
        elif isinstance(member, staticmethod | classmethod | type) or "readonly" in marks_of(member):
            continue
        elif callable(member) and (not name.startswith("_") or name in SPECIALS):
            found[name] = member
    return found


def _calls_of(domain: type, method: str, function: Any, said: Mapping[str, SearchStrategy[Any]], used: set[str]) -> SearchStrategy[Call]:
    """Calls of one method."""
    from hypothesis import strategies as st

    where = f"{domain.__qualname__}.{method}"
    placed: list[SearchStrategy[Any]] = []
    named: dict[str, SearchStrategy[Any]] = {}
    optional: dict[str, SearchStrategy[Any]] = {}
    for one in _parameters(function):
        needed = one.default is one.empty
        own = [name for name in (f"{method}.{one.name}", one.name) if name in said]
        used.update(own)
        strategy = said[own[0]] if own else _by_hint(_hint(function, one.name, where), one.name, where, needed=needed)
        if strategy is None or (one.kind is one.POSITIONAL_ONLY and not needed):
            continue
        if not needed:
            optional[one.name] = strategy
        elif one.kind is one.KEYWORD_ONLY:
            named[one.name] = strategy
        else:
            placed.append(strategy)
    return st.builds(
        lambda args, kwargs: Call(method, *args, **kwargs), st.tuples(*placed), st.fixed_dictionaries(named, optional=optional)
    )


def _parameters(function: Any) -> Iterator[inspect.Parameter]:
    """Those behind `self` that take one argument each."""
    _, *every = inspect.signature(function).parameters.values()
    return (one for one in every if one.kind not in SEVERAL)


def _hint(function: Any, name: str, where: str) -> Any:
    """The annotation of a parameter, each for itself: what a method returns may be known to the type checker only."""
    plain = inspect.unwrap(function)
    try:
        holder = type("Holder", (), {"__annotations__": {name: plain.__annotations__[name]}})
        return typing.get_type_hints(holder, plain.__globals__, include_extras=True)[name]
    except KeyError:
        return inspect.Parameter.empty
    except (NameError, TypeError) as error:
        what = f"The annotation of parameter {name!r} of {where} cannot be looked up: {error}. Import what it names where the program runs, too"
        raise UsageError(f'{what}; or say what it is: arguments={{"{name}": a Hypothesis strategy}}.', method=where) from error


def _by_hint(hint: Any, name: str, where: str, *, needed: bool) -> SearchStrategy[Any] | None:
    """None for a parameter that need not be passed and of which nothing is known."""
    from hypothesis import strategies as st
    from hypothesis.errors import HypothesisException

    if hint in (inspect.Parameter.empty, Any, object):
        if not needed:
            return None
        what = "has no annotation" if hint is inspect.Parameter.empty else "may be anything"
        raise UsageError(
            f'{where}: parameter {name!r} {what}. Say what it is: arguments={{"{name}": a Hypothesis strategy}}.', method=where
        )
    try:
        strategy = st.from_type(hint)
        strategy.validate()
    except HypothesisException as error:
        what = f"{where}: Hypothesis makes nothing of parameter {name!r} ({hint}): {error}"
        raise UsageError(f'{what} Say what it is: arguments={{"{name}": a Hypothesis strategy}}.', method=where) from error
    return strategy
