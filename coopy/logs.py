"""The loggers. They say what nobody is told by a call: what an opening found, what happens by the clock, why a system ended itself.

Silent until the program sets up logging, as a library is to be: Python would else print warnings that the program did not ask for. The page
docs/operations.md has the table of what each of them says.
"""

from __future__ import annotations

import logging

__all__ = ["logger"]

logging.getLogger("coopy").addHandler(logging.NullHandler())


def logger(area: str = "") -> logging.Logger:
    """The logger of an area, below `coopy`; without one that of systems as a whole."""
    return logging.getLogger(f"coopy.{area}" if area else "coopy")
