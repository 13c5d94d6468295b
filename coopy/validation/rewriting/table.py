"""Calls that have an exact counterpart in coopy: the same value in the same type for the same arguments, only recorded. Everything else is left.

Not here, because the counterpart is not the same: monotonic clocks (another origin), uuid1, `random.seed` and generators, what formats a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec


class Argument(msgspec.Struct, frozen=True):
    """How an argument is written: `star` is "", "*" or "**"; `whole` says that it is an integer literal."""

    star: str
    keyword: str
    whole: bool


class Target(msgspec.Struct, frozen=True):
    """A function of a tool of coopy (`clock` or `random`), for calls whose arguments it takes in the same way."""

    tool: str
    name: str
    takes: Callable[[Sequence[Argument]], bool]


def _nothing(arguments: Sequence[Argument]) -> bool:
    return not arguments


def _zone(arguments: Sequence[Argument]) -> bool:
    """`now()` and `now(tz)`: naive without a zone, aware with one, in both."""
    return not arguments or (len(arguments) == 1 and not arguments[0].star and arguments[0].keyword in ("", "tz"))


def _one(arguments: Sequence[Argument]) -> bool:
    return len(arguments) == 1 and not arguments[0].star and not arguments[0].keyword


def _size(arguments: Sequence[Argument]) -> bool:
    """A number of bytes that is certainly no None."""
    return not arguments or (_one(arguments) and arguments[0].whole)


def _plain(arguments: Sequence[Argument]) -> bool:
    return not any(one.star or one.keyword == "counts" for one in arguments)


_SAME = (
    "betavariate", "binomialvariate", "choice", "choices", "expovariate", "gammavariate", "gauss", "getrandbits", "lognormvariate",
    "normalvariate", "paretovariate", "randbytes", "randint", "random", "randrange", "sample", "shuffle", "triangular", "uniform",
    "vonmisesvariate", "weibullvariate",
)  # fmt: skip
TARGETS: dict[str, Target] = {
    "datetime.datetime.now": Target("clock", "now", _zone),
    "datetime.datetime.today": Target("clock", "now", _nothing),
    "datetime.datetime.utcnow": Target("clock", "utcnow", _nothing),
    "datetime.date.today": Target("clock", "today", _nothing),
    "time.time": Target("clock", "time", _nothing),
    "time.time_ns": Target("clock", "time_ns", _nothing),
    "uuid.uuid4": Target("random", "uuid4", _nothing),
    "secrets.token_hex": Target("random", "token_hex", _size),
    "secrets.token_bytes": Target("random", "token_bytes", _size),
    "secrets.choice": Target("random", "choice", _one),
    "secrets.randbits": Target("random", "getrandbits", _one),
    "secrets.randbelow": Target("random", "randrange", _one),
    "os.urandom": Target("random", "token_bytes", _one),
    **{f"random.{name}": Target("random", name, _plain) for name in _SAME},
}
