"""Values of the standard library, made again from what a pickle says of them: dates, decimals, UUIDs. Nothing else is ever made here.

Only classes whose making costs no more than what they are made of: `Fraction("1e999999999")`, say, would not come to an end.
"""

from __future__ import annotations

import datetime
import decimal
import uuid
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from coopy.inert import Thing

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["made"]

PACKED = 2  # arguments of a datetime or time at most: bytes, and a zone


def made(thing: Thing) -> Any:
    """The value; None where it is none of these, or not what such a value is made of."""
    make = MAKERS.get(thing.name)
    if make is None or thing.items or thing.pairs or thing.state is not None:
        return None
    try:
        return make(thing)
    except (TypeError, ValueError, ArithmeticError, KeyError, LookupError, OSError):
        return None


def _packed(kind: Callable[..., Any]) -> Callable[[Thing], Any]:
    """What pickles as a few bytes, with a zone behind them or not."""

    def make(thing: Thing) -> Any:
        data, *zones = thing.args
        if type(data) is not bytes or len(thing.args) > PACKED:
            raise TypeError
        found = [made(zone) if type(zone) is Thing else None for zone in zones]
        if None in found:
            raise TypeError
        return kind(data, *found)

    return make


def _plain(kind: Callable[..., Any], *types: type) -> Callable[[Thing], Any]:
    def make(thing: Thing) -> Any:
        if thing.attributes or not all(type(one) in types for one in thing.args):
            raise TypeError
        return kind(*thing.args)

    return make


def _zone(thing: Thing) -> datetime.timezone:
    (offset,) = thing.args
    return datetime.timezone(made(offset))


MAKERS: dict[str, Callable[[Thing], Any]] = {
    "datetime:datetime": _packed(datetime.datetime),
    "datetime:date": _packed(datetime.date),
    "datetime:time": _packed(datetime.time),
    "datetime:timedelta": _plain(datetime.timedelta, int),
    "datetime:timezone": _zone,
    "zoneinfo:ZoneInfo": _plain(ZoneInfo, str),
    "decimal:Decimal": _plain(decimal.Decimal, str),
    "uuid:UUID": lambda thing: uuid.UUID(int=thing.attributes["int"]),
}
