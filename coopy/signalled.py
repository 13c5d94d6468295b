"""Which exceptions were raised into whatever ran, mostly for a time-out: by a signal handler (`signal.alarm`, and often one of the OSErrors), or by another thread.

They say nothing of what they interrupted. An action is in doubt after one, as after KeyboardInterrupt; a disk has not failed.
"""

from __future__ import annotations

from _signal import getsignal, valid_signals  # type: ignore[import-not-found]  # `signal` makes enumerations of what they give: 40 us for all, not 3
from opcode import opmap
from threading import get_ident, main_thread
from types import BuiltinFunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType

__all__ = ["from_outside", "from_signal"]

SIGNALS = [*valid_signals()]
# Where CPython looks whether another thread has something to raise: at the start of a function and at a jump back, where nothing else raises, ...
RESUME = opmap["RESUME"]
BETWEEN = {RESUME, opmap["JUMP_BACKWARD"]}
# ... and where what is called may raise as well: at calls, and in 3.11 at a jump back that depends on a value.
LOOKS = BETWEEN | {
    code
    for name, code in opmap.items()
    if name in {"CALL", "CALL_FUNCTION_EX", "CALL_KW", "PRECALL"} or name.startswith("POP_JUMP_BACKWARD_IF")
}
MADE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: a class that a program made
NONE_OF_IT = bytes([opmap.get("LOAD_ASSERTION_ERROR", 0)])
YIELDED = 3  # bits of RESUME's argument: it goes on behind a `yield`, where `throw()` raises too, as 3.13 has it


def from_outside(error: BaseException) -> bool:
    """Whether it was raised into the thread: by a signal handler, or by another thread (`PyThreadState_SetAsyncExc`), as far as that shows."""
    return from_signal(error) or _from_thread(error)


def _from_thread(error: BaseException) -> bool:
    """Such an exception is made of its class alone. Behind a call or a `yield`, one like that may be an ordinary one: it is taken for the other.

    What Cython, mypyc and C put into a traceback for their own functions begins by RESUME, too, and has nothing behind it (`PyCode_NewEmpty`).
    A class of C or Rust with a constructor of its own is not made of the class alone, and may keep what it says elsewhere (pydantic's ValidationError).
    """
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return False
    code, at = trace.tb_frame.f_code.co_code, trace.tb_lasti
    instruction = code[at]
    if instruction not in LOOKS:
        return False
    if instruction in BETWEEN and not (instruction == RESUME and code[at + 1] & YIELDED):
        return code[at + 2 : at + 3] != NONE_OF_IT
    return not error.args and type(error).__flags__ & MADE != 0 and type(vars(type(error)).get("__new__")) is not BuiltinFunctionType


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
