"""A call in the block of a key: looked up first, so that what is known costs no record; recorded with its key where it is new.

Between the look and the record another call may come with the same key: execution looks again, at the action's place in the journal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coopy.clock import moment
from coopy.engine.gate import OPEN
from coopy.engine.once import ONCE, print_of
from coopy.error import CoopyError, NotSerializableError, UsageError
from coopy.key import key_in_force

if TYPE_CHECKING:
    from coopy.engine.engine import Engine
    from coopy.engine.once import Kept
    from coopy.key import Key

__all__ = ["call_keyed", "refuse_beside"]


def call_keyed(engine: Engine, method: str, args: tuple[object, ...], kwargs: dict[str, object]) -> Any:
    """Engine.call where something stands in `moment`: an action that runs, which may not call, a key, or another mark, which says nothing of actions."""
    engine.refuse_nested(method)
    key = key_in_force()
    if key is None:
        return _unmarked(engine, method, args, kwargs)
    key.claim(method)
    try:
        return _once(engine, key, method, args, kwargs)
    except BaseException as error:
        if isinstance(error, CoopyError) or not isinstance(error, Exception):
            key.release()
        raise


def _unmarked(engine: Engine, method: str, args: tuple[object, ...], kwargs: dict[str, object]) -> Any:
    """As outside of all blocks: the engine would come here again."""
    marks = moment.get()
    moment.set(None)
    try:
        return engine.call(method, args, kwargs)
    finally:
        moment.set(marks)


def _once(engine: Engine, key: Key, method: str, args: tuple[object, ...], kwargs: dict[str, object]) -> Any:
    known = _look_up(engine, key.name)
    try:
        print_ = print_of(method, args, kwargs)
        if known is None:
            return engine.call(ONCE, (key.name, key.within, key.most, print_, method, *args), kwargs)
    except NotSerializableError:
        engine.codec.encode(method, args, kwargs)  # says it of the call as it was written, if that is the reason
        raise
    known.check(engine.executor.as_recorded(known.method, method), print_)
    engine.confirm_known(known.lsn)
    return engine.executor.settle(engine.executor.keys.give(known, engine.executor.root))


def _look_up(engine: Engine, name: str) -> Kept | None:
    with engine.lock:
        if engine.gate is not OPEN:
            engine.enter()
        return engine.executor.keys.find(name, max(engine.wall() // 1000, engine.journal.time_us))


def refuse_beside(method: str) -> None:
    """Raises UsageError for an `@unlocked` action with a key."""
    key = key_in_force()
    if key is not None:
        what = f"{method}() is @unlocked, and cannot have the key {key.name!r}: of two that run at once neither could know what the other gave."
        raise UsageError(f"{what} Nothing was recorded. Call it without a key, or take the mark away.", key=key.name, method=method)
