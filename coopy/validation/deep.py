"""Room for deep recursion. Python has one limit for all threads: it is raised while anybody here needs that, and put back by the last of them."""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["room_for"]


@contextmanager
def room_for(frames: int) -> Iterator[None]:
    """The limit is this at least, whoever else comes and goes here meanwhile. One that was set elsewhere in between stays afterwards."""
    _limit.enter(frames)
    try:
        yield
    finally:
        _limit.leave()


class _Limit:
    """The interpreter's. Its lock guards the rest: how many need it higher, what it was raised to, and what it is otherwise."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = self._raised = self._usual = 0

    def enter(self, frames: int) -> None:
        with self._lock:
            limit = sys.getrecursionlimit()
            if limit != self._raised:  # nobody is here, or somebody else has set it
                self._usual = limit
            self._raised = max(limit, frames)
            sys.setrecursionlimit(self._raised)
            self._inside += 1

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside:
                return
            if sys.getrecursionlimit() == self._raised:
                sys.setrecursionlimit(self._usual)
            self._raised = 0


_limit = _Limit()
