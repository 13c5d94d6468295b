"""A plugin of coverage.py: threads that are started bare are measured, too.

coverage.py hears of threads by `threading.settrace`, and coopy starts those that must not be interrupted by `_thread.start_new_thread`, which asks
nobody: a restore, a snapshot, an action that runs again. Named in pyproject.toml, so that it is there in every process that is measured, before
coopy is imported.
"""

from __future__ import annotations

import _thread
import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["coverage_init"]

bare = _thread.start_new_thread


def coverage_init(_registry: object, _options: object) -> None:
    """Called by coverage.py when it begins."""
    _thread.start_new_thread = _start_traced


def _start_traced(function: Callable[..., object], args: tuple[Any, ...], kwargs: dict[str, Any] | None = None) -> int:
    def run() -> None:
        sys.settrace(threading.gettrace())
        function(*args, **(kwargs or {}))

    return bare(run, ())
