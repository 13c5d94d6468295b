"""A recorded action as a line: for people, and for programs as JSON. Its call is read as data: no class is imported, nothing runs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from coopy.cli.plain import plain
from coopy.cli.terminal import coloured
from coopy.cli.text import call_text, name_text
from coopy.engine.once import ONCE, unwrapped
from coopy.error import CorruptionError
from coopy.inert import method_of, read_call

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from coopy.engine.execute import Record
    from coopy.engine.history import Told

__all__ = ["HEADING", "as_dict", "as_json", "of_method", "text_lines", "time_text"]

HEADING = f"{'LSN':>9}  {'TIME':32}  {'OUTCOME':8}  CALL"
STEPS = 2000  # of a call that are read to show it on a line
PLAIN = frozenset((str, int, bool, type(None)))
MILLION = 1_000_000
WRAPPED = 5  # arguments of a call with a key before those of its method


@lru_cache(maxsize=64)
def _second(seconds: int, utc_offset: int) -> tuple[str, str]:
    """A second in a zone: what stands before and behind its fraction."""
    zone = timezone(timedelta(minutes=utc_offset))
    text = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).astimezone(zone).isoformat(" ")
    return text[:19], text[19:]


def time_text(time_us: int, utc_offset: int) -> str:
    """The time of an action, in the zone that was local then."""
    seconds, micros = divmod(time_us, MILLION)
    before, zone = _second(seconds, utc_offset)
    return f"{before}.{micros:06}{zone}"


def of_method(told: Iterable[Told], method: str) -> Iterator[Told]:
    """The actions that ran this method."""
    for one in told:
        _, _, _, kind, payload = one[0]
        try:
            name = method_of(kind, payload)
            if name == ONCE:
                name = _call(one[0], STEPS)[1]
        except CorruptionError:
            continue
        if name == method:
            yield one


def _call(record: Record, steps: int) -> tuple[str | None, str, Sequence[Any], Mapping[str, Any]]:
    """Key, method, arguments. Raises CorruptionError."""
    method, args, kwargs = read_call(record[3], record[4], steps)
    if method == ONCE and len(args) >= WRAPPED:
        return unwrapped(method, args, dict(kwargs))
    return None, method, args, kwargs


def text_lines(told: Iterable[Told], room: int) -> Iterator[str]:
    """One line each, the call in at most about `room` characters."""
    for record, outcome, error in told:
        lsn, time_us, utc_offset, _, _ = record
        try:
            key, method, args, kwargs = _call(record, STEPS)
            call = call_text(method, args, kwargs, room)
        except CorruptionError as problem:
            key, call = None, f"? {problem}"
        if key is not None:
            call = f"{call}  key={key!r}"
        if error:
            call = f"{call}  {name_text(error)}"
        yield f"{lsn:>9}  {time_text(time_us, utc_offset):32}  {coloured(outcome, 8)}  {call}"


def as_dict(one: Told, steps: int, *, exact: bool = False) -> dict[str, Any]:
    """For programs. `exact`: with what it takes to make the same call again, where that is more than its arguments as JSON."""
    record, outcome, error = one
    lsn, time_us, utc_offset, kind, payload = record
    out: dict[str, Any] = {"lsn": lsn, "time": time_text(time_us, utc_offset).replace(" ", "T")}
    try:
        key, method, args, kwargs = _call(record, steps)
    except CorruptionError as problem:
        return {**out, "method": None, "args": [], "kwargs": {}, "outcome": outcome, "error": error, "key": None, "problem": str(problem)}
    most = 1000 + 16 * len(payload)
    out["method"] = method
    out["args"] = list(args) if PLAIN.issuperset(map(type, args)) else [plain(value, most) for value in args]
    out["kwargs"] = {name: plain(value, most) for name, value in kwargs.items()}
    out |= {"outcome": outcome, "error": error, "key": key}
    if exact:
        out |= _exactly(kind, payload, key)
    return out


def _exactly(kind: int, payload: bytes, key: str | None) -> dict[str, Any]:
    from base64 import b64encode

    from coopy.codec import MSGPACK

    if kind == MSGPACK and key is None:
        return {}
    return {"msgpack" if kind == MSGPACK else "pickle": b64encode(payload).decode("ascii")}


def as_json(told: Iterable[Told]) -> Iterator[str]:
    """One JSON object each."""
    return (json.dumps(as_dict(one, STEPS)) for one in told)
