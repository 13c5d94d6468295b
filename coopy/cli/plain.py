"""Values as JSON, for programs: what JSON has is itself, everything else an object with one key that begins with `$`.

{"$bytes": "base64"}  {"$bytearray": "base64"}  {"$float": "nan"}  {"$int": "0x..."}     atoms that JSON has not
{"$tuple": [...]}  {"$set": [...]}  {"$frozenset": [...]}  {"$dict": [[key, value], ...]}   a dict whose keys are strings is an object
{"$datetime": "2026-01-31T12:00:00+01:00"}  $date  $time  $timedelta (seconds)  $decimal  $uuid  $zone
{"$class": "module:Name"}                                                                a class
{"$object": "module:Name", "args": [...], "attributes": {...}, "state": ..., "items": [...], "pairs": [...]}   an instance; what is empty is left out
{"$cut": "why"}                                                                          what is not shown: too deep, too much, in itself
"""

from __future__ import annotations

import base64
import datetime
import decimal
import math
import uuid
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from coopy.cli.standard import made
from coopy.inert import Bag, Named, Table, Thing, Unfinished

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = ["plain", "valued"]

DEEPEST = 100
LONG_INT = 4096  # bits; Python reads no longer decimal
ATOMS = frozenset((str, bool, type(None)))


def plain(value: Any, most: int) -> Any:
    """The value as json.dumps takes it, in at most about `most` parts."""
    return _Plainly(most).value(value, 0)


class _Plainly:
    """One conversion. `left`: parts that may still come: a value that is in many places comes as often."""

    def __init__(self, most: int) -> None:
        self.left = most

    def value(self, value: Any, depth: int) -> Any:
        """The same as JSON."""
        kind = type(value)
        if kind in ATOMS:
            return value
        if depth > DEEPEST:
            return {"$cut": "it is nested too deeply"}
        return KINDS[kind](self, value, depth + 1) if kind in KINDS else _standard(value)

    def every(self, values: Iterable[Any], depth: int) -> list[Any]:
        """A list of the same."""
        done: list[Any] = []
        for one in values:
            if self.left < 0:
                done.append({"$cut": "there is too much of it"})
                break
            done.append(self.value(one, depth))
            self.left -= 1
        return done

    def _pairs(self, pairs: Sequence[tuple[Any, Any]], depth: int) -> Any:
        if all(type(key) is str and key[:1] != "$" for key, _ in pairs):
            return self._object(dict(pairs), depth)
        return {"$dict": self.every((list(pair) for pair in pairs), depth)}

    def _object(self, value: Mapping[str, Any], depth: int) -> dict[str, Any]:
        return dict(zip(value, self.every(value.values(), depth), strict=False))

    def thing(self, value: Thing, depth: int) -> Any:
        """An instance."""
        known = made(value)
        if known is not None:
            return _standard(known)
        out: dict[str, Any] = {"$object": value.name}
        if value.args:
            out["args"] = self.every(value.args, depth)
        if value.attributes:
            out["attributes"] = self._pairs(list(value.attributes.items()), depth)
        if value.state is not None:
            out["state"] = self.value(value.state, depth)
        if value.items:
            out["items"] = self.every(value.items, depth)
        if value.pairs:
            out["pairs"] = self.every((list(pair) for pair in value.pairs), depth)
        return out


def _integer(value: int) -> Any:
    return value if value.bit_length() <= LONG_INT else {"$int": hex(value)}


def _float(value: float) -> Any:
    return value if math.isfinite(value) else {"$float": repr(value)}


def _encoded(name: str) -> Callable[[_Plainly, Any, int], Any]:
    return lambda _self, value, _depth: {name: base64.b64encode(value).decode("ascii")}


def _listed(name: str) -> Callable[[_Plainly, Any, int], Any]:
    return lambda self, value, depth: {name: self.every(value, depth)}


def _standard(value: Any) -> Any:
    """One of the values that standard.py makes."""
    name, write = STANDARD[type(value)]
    return {name: write(value)}


KINDS: dict[type, Callable[[_Plainly, Any, int], Any]] = {
    int: lambda _self, value, _depth: _integer(value),
    float: lambda _self, value, _depth: _float(value),
    bytes: _encoded("$bytes"),
    bytearray: _encoded("$bytearray"),
    list: lambda self, value, depth: self.every(value, depth),
    tuple: _listed("$tuple"),
    dict: lambda self, value, depth: self._pairs(list(value.items()), depth),
    Table: lambda self, value, depth: self._pairs(value.pairs, depth),
    Bag: lambda self, value, depth: {"$frozenset" if value.frozen else "$set": self.every(value.items, depth)},
    Named: lambda _self, value, _depth: {"$class": value.name},
    Thing: _Plainly.thing,
    Unfinished: lambda _self, value, _depth: {"$cut": value.why},
}
STANDARD: dict[type, tuple[str, Callable[[Any], Any]]] = {
    datetime.datetime: ("$datetime", datetime.datetime.isoformat),
    datetime.date: ("$date", datetime.date.isoformat),
    datetime.time: ("$time", datetime.time.isoformat),
    datetime.timedelta: ("$timedelta", datetime.timedelta.total_seconds),
    datetime.timezone: ("$zone", str),
    ZoneInfo: ("$zone", str),
    decimal.Decimal: ("$decimal", str),
    uuid.UUID: ("$uuid", str),
}


# --- back ------------------------------------------------------------------------------------------------------------


def valued(value: Any) -> Any:
    """The value that such JSON stands for. Raises ValueError for what only a class could make."""
    if type(value) is list:
        return [valued(one) for one in value]
    if type(value) is not dict:
        return value
    name = next(iter(value), "")
    if name[:1] != "$":
        return {key: valued(one) for key, one in value.items()}
    if len(value) != 1 or name not in BACK:
        raise ValueError(f"{name} is nothing that a value could be made of")
    try:
        return BACK[name](value[name])
    except (TypeError, AttributeError, ArithmeticError) as error:
        raise ValueError(f"{name}: {error}") from error


BACK: dict[str, Callable[[Any], Any]] = {
    "$bytes": lambda text: base64.b64decode(text, validate=True),
    "$bytearray": lambda text: bytearray(base64.b64decode(text, validate=True)),
    "$float": float,
    "$int": lambda text: int(text, 16),
    "$tuple": lambda values: tuple(valued(values)),
    "$set": lambda values: set(valued(values)),
    "$frozenset": lambda values: frozenset(valued(values)),
    "$dict": lambda pairs: {key: value for key, value in valued(pairs)},  # noqa: C416 - of two, or it is wrong
    "$datetime": datetime.datetime.fromisoformat,
    "$date": datetime.date.fromisoformat,
    "$time": datetime.time.fromisoformat,
    "$timedelta": lambda seconds: datetime.timedelta(seconds=seconds),
    "$decimal": decimal.Decimal,
    "$uuid": uuid.UUID,
}
