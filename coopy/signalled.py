"""Which exceptions a signal handler raised into whatever ran: mostly that of a time-out, by `signal.alarm`, and often one of the OSErrors.

They say nothing of what they interrupted. An action is in doubt after one, as after KeyboardInterrupt; a disk has not failed.
"""

from __future__ import annotations

from _signal import getsignal, valid_signals  # type: ignore[import-not-found]  # `signal` makes enumerations of what they give: 40 us for all, not 3
from threading import get_ident, main_thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType

__all__ = ["from_signal"]

SIGNALS = [*valid_signals()]


def from_signal(error: BaseException) -> bool:
    """Whether a handler that is installed raised it. They run on the main thread only."""
    if get_ident() != main_thread().ident:
        return False
    handlers = [handler for number in SIGNALS if (handler := getsignal(number)) is not None and type(handler) is not int]
    codes = {code for handler in handlers for code in _codes(handler)}
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code in codes:
            return True
        trace = trace.tb_next
    return False


def _codes(handler: Any) -> Iterator[CodeType]:
    """The code that a handler runs first: a function's, a method's, a partial function's, that of an object which can be called."""
    inner = getattr(handler, "func", handler)
    for one in (getattr(inner, "__func__", inner), type(inner).__call__):
        code = getattr(one, "__code__", None)
        if code is not None:
            yield code
