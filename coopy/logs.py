"""The loggers. They say what nobody is told by a call: what an opening found, what happens by the clock, why a system ended itself.

Silent until the program sets up logging, as a library is to be: Python would else print warnings that the program did not ask for. A program
that has not even loaded `logging` hears nothing, so that coopy need not load it either. The page docs/monitoring.md has the table of what each
of them says.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import logging

__all__ = ["INFO", "logger"]

INFO = 20  # logging.INFO


def logger(area: str = "") -> logging.Logger:
    """The logger of an area, below `coopy`; without one that of systems as a whole."""
    return cast("logging.Logger", _Logger(f"coopy.{area}" if area else "coopy"))


class _Logger:
    """The standard one of this name, which is asked for when there is something to say."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if "logging" not in sys.modules:
            return _unheard
        import logging

        ours = logging.getLogger("coopy")
        if not ours.handlers:
            ours.addHandler(logging.NullHandler())
        return getattr(logging.getLogger(self._name), name)


def _unheard(*_args: object, **_more: object) -> bool:
    """Whether anybody listens: nobody does."""
    return False
