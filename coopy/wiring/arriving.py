"""A new directory from actions that were recorded elsewhere: they are called on a fresh domain, at the times that they had.

The directory is made under another name beside its own, which it gets at the very end: until then nothing is there. What coopy's random numbers
give is drawn anew, as the new system has a secret of its own; an action that ends otherwise than it did stops the import, or is told.
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from coopy.action import type_name
from coopy.decorators import marks_of
from coopy.disk import RealDisk
from coopy.engine.once import action_of
from coopy.error import CoopyError, DivergenceError, UsageError
from coopy.proxy import member_of
from coopy.wiring.opening import open_proxy
from coopy.wiring.options import Options
from coopy.wiring.systems import system_of
from coopy.wiring.witness import class_of, named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from coopy.engine.engine import Engine
    from coopy.wiring.subject import Subject

__all__ = ["Call", "arrive", "check_action", "free_place", "load_root", "prepared"]

BESIDE = ".importing"


class Call(msgspec.Struct, frozen=True):
    """A call as its record has it (also of a key), when it was made, and how it ended: the type of what it raised, empty if it returned, None if unknown."""

    lsn: int
    method: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    time_us: int | None
    utc_offset: int
    raised: str | None


def prepared(subject: Subject) -> tuple[Subject, type]:
    """What knows where old names lead, and the class itself. Raises UsageError where it cannot be imported."""
    kind = class_of(subject)
    return named(subject, kind), kind


def load_root(subject: Subject, state: bytes) -> tuple[object, bool]:
    """A domain object from a stored state, and whether keys were remembered beside it. Raises CorruptionError."""
    root, beside = subject.codec.load_state(io.BytesIO(state))
    return root, bool(beside)


def check_action(kind: type, call: Call) -> None:
    """Raises UsageError for a call of a query: it changes nothing, so no journal has it."""
    name = action_of(call.method, call.args)
    if "readonly" in marks_of(member_of(kind, name)):
        raise UsageError(f"{kind.__qualname__}.{name} is @readonly: it is no action.", method=name)


def free_place(directory: str) -> None:
    """Raises UsageError unless a directory can be made there."""
    path, beside = Path(directory), Path(directory + BESIDE)
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise UsageError(f"{directory} is there already, and not empty. Nothing was changed. Choose another directory.", path=directory)
    if beside.exists():
        what = f"{beside} is left over from an import that was cut off: nothing of it is in use. Nothing was changed."
        raise UsageError(f"{what} Remove it, and import again.", path=str(beside))


def arrive(
    subject: Subject, obj: object, calls: Iterable[Call], signing_key: bytes | None, tell: Callable[[DivergenceError], object] | None
) -> int:
    """Make the directory of the subject: this class or object, then these calls. Gives the last LSN.

    `tell` is told of an action that ends otherwise than it did; None: it raises DivergenceError, and nothing is there then.
    """
    free_place(subject.directory)
    beside = subject.directory + BESIDE
    options = Options(durability="buffered", validation="off", allow=subject.allow, signing_key=signing_key)
    try:
        system = system_of(proxy := open_proxy(obj, beside, options))
        try:
            for call in calls:
                _perform(system.engine, call, tell)
            last: int = system.engine.exclusively(lambda: system.engine.executed)  # also behind one that ended so
        finally:
            system.close()
            del proxy
        Path(beside).replace(subject.directory)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    RealDisk().sync_directory(str(Path(subject.directory).parent))
    return last


def _perform(engine: Engine, call: Call, tell: Callable[[DivergenceError], object] | None) -> None:
    if call.time_us is not None:
        wall = call.time_us * 1000
        engine.wall, engine.utc_offset, engine.zone_ends = lambda: wall, call.utc_offset, sys.maxsize
    try:
        engine.call(call.method, call.args, call.kwargs)
    except BaseException as error:
        got = type_name(error)
        if got != call.raised and (isinstance(error, CoopyError) or not isinstance(error, Exception)):
            raise  # an action may end by KeyboardInterrupt and the like; else it is whoever called the import
    else:
        got = ""
    if call.raised is None or call.raised == got:
        return
    expected, ended = (f"raise {name}" if name else "return" for name in (call.raised, got))
    what = f"LSN {call.lsn} ({call.method}) was expected to {expected}, here it would {ended}"
    ways = "." if tell else ". Nothing was created. --on-divergence warn goes on regardless."
    divergence = DivergenceError(what + ways, lsn=call.lsn, method=call.method, expected=expected, got=ended)
    if tell is None:
        raise divergence
    tell(divergence)
