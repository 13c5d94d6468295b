"""Queries that wait for what was acknowledged anywhere before they began: `with linearizable(wiki): wiki.read()`.

Here is what the caller says. It stands where the hot path looks anyway (`coopy.clock.moment`), so that a query outside of a block pays nothing; a node's
engine looks for it. A context variable, as for keys (coopy/key.py): each thread and each asyncio task has its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.clock import Marker, moment, running
from coopy.error import UsageError

if TYPE_CHECKING:
    from types import TracebackType

    from coopy.engine.engine import Engine

__all__ = ["Block", "is_to_settle"]


class _Mark(Marker):
    """The queries of one system in the block."""

    __slots__ = ("engine",)

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.engine = engine


class Block:
    """A block of queries. It may be entered again, also by several threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __enter__(self) -> None:
        if running() is not None:
            raise UsageError(
                "linearizable() stands inside of an action, which sees the state at its place in the order. Put it around a query of the proxy."
            )
        moment.set(_Mark(self._engine))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        mark = moment.get()
        if isinstance(mark, _Mark) and mark.engine is self._engine:  # else it is left in another context than it was entered in
            moment.set(mark.before)


def is_to_settle(engine: Engine) -> bool:
    """Whether a query of this engine that begins here stands in such a block."""
    now = moment.get()
    while isinstance(now, Marker):
        if isinstance(now, _Mark) and now.engine is engine:
            return True
        now = now.before
    return False
