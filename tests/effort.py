"""How much work something is, counted: the same on a machine that is fast, slow or busy."""

from __future__ import annotations

import sys
import tracemalloc
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

__all__ = ["Effort", "effort"]


class Effort(NamedTuple):
    """`lines`: of a package that ran, each as often as it did; `bytes`: what they asked for, also what was given back at once, as of a copy."""

    lines: int
    bytes: int


def effort(work: Callable[[], object], package: str) -> Effort:
    """Do it, and count. A loop that the interpreter has in C is no line: what it builds is seen by its bytes."""
    lines = allocated = before = 0

    def step(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal lines, allocated, before
        if event == "line":
            now, most = tracemalloc.get_traced_memory()
            lines += 1
            allocated += max(most - before, 0)
            before = now
            tracemalloc.reset_peak()
        return step

    def enter(frame: FrameType, event: str, argument: Any) -> Any:
        return step if str(frame.f_globals.get("__name__")).startswith(package) else None

    tracing = sys.gettrace()  # under `make coverage` somebody counts already
    tracemalloc.start(1)
    sys.settrace(enter)
    try:
        work()
    finally:
        sys.settrace(tracing)
        tracemalloc.stop()
    return Effort(lines, allocated)
