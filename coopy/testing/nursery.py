"""Fresh processes by the dozen: one is started for each of two kinds of surroundings, and from it one is forked for each piece of work.

    here      `Nursery.ask` hands over what to do, and waits for the answer
    there     the parent of all has imported the domain's modules and has run nothing of them; its children do the work, and end

A child is as fresh as a process that was started: no call of the domain ran in it. Its hash seed, time zone, locale, working directory and
clock are others than here, and others in each of the two. Modules are found there as they are here, also those of pytest's importlib mode.

Both ways go frames as in coopy/fresh.py. The parent of all ends when its standard input does, a child when that one's does.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from coopy.error import UsageError
from coopy.fresh import Interpreter, pack, program, receive, send, unpack_error
from coopy.wiring.elsewhere import random_seed, surroundings

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Errand", "Module", "Start", "ask", "check_findable"]

YEAR = 366 * 86400
SHIFTS = (YEAR + 5 * 3600 + 61, -2 * YEAR - 7 * 3600)  # seconds that the clock there is off


class Module(msgspec.Struct, frozen=True):
    """Where a module was found here. `file`: empty for a package without one; `folders`: of a package."""

    name: str
    file: str
    folders: tuple[str, ...] | None


class Start(msgspec.Struct, frozen=True):
    """How a parent of all is to be."""

    locales: tuple[str, ...]
    shift: float


class Errand(msgspec.Struct, frozen=True):
    """What a child is to do: call `function` ("module:name") with the task, and answer with what it gives."""

    function: str
    task: bytes
    path: tuple[str, ...]
    modules: tuple[Module, ...]
    preload: tuple[str, ...]
    script: str
    main: str


class Nursery:
    """One kind of surroundings. One piece of work at a time."""

    def __init__(self, number: int) -> None:
        around = surroundings(number, random_seed())
        self.process_id, self._lock = os.getpid(), threading.Lock()
        self._interpreter = Interpreter("coopy.testing.there", around)
        with contextlib.suppress(BrokenPipeError):  # `ask` says why
            send(self._interpreter.tasks, b"t", pack(Start(around.locales, SHIFTS[number % len(SHIFTS)])))

    def ask(self, errand: Errand) -> bytes:
        """The answer. Raises what ended the work there; UsageError where the process ended without a word."""
        with self._lock:
            letter = content = b""
            try:
                with contextlib.suppress(BrokenPipeError):
                    send(self._interpreter.tasks, b"t", pack(errand))
                letter, content = receive(self._interpreter.answers)
            finally:
                if not letter:  # it ended, or this thread was interrupted: the next answer would be another's
                    self.end()
        if letter == b"e":
            raise unpack_error(content)
        if not letter:
            raise self._interpreter.told_end("A fresh process")
        return content

    def end(self) -> None:
        """End the process. May be repeated."""
        self._interpreter.end()

    @property
    def ended(self) -> bool:
        """Whether nobody answers there any more; one that belongs to the process that forked this one is nobody's here."""
        return self._interpreter.ended or self.process_id != os.getpid()


_nurseries: dict[int, Nursery] = {}
_guard = threading.Lock()


def ask(number: int, function: str, task: bytes, kind: type, allow: Iterable[str] = ()) -> bytes:
    """Have a fresh process do something for a domain class, in one of two kinds of surroundings. Gives its answer, raises its error.

    `number`: even and odd ones are different surroundings.
    """
    with _guard:
        nursery = _nurseries.get(number % 2)
        if nursery is None or nursery.ended:
            nursery = _nurseries[number % 2] = Nursery(number % 2)
    script, main = program() if kind.__module__ == "__main__" else ("", "")
    preload = () if kind.__module__ == "__main__" else (kind.__module__,)
    tops = {kind.__module__.partition(".")[0], *(one.partition(":")[0].partition(".")[0] for one in allow)}
    path = tuple(str(Path(one).absolute()) for one in sys.path)
    return nursery.ask(Errand(function, task, path, _modules(tops), preload, script, main))


@atexit.register
def _end_all() -> None:
    for one in _nurseries.values():
        if one.process_id == os.getpid():
            one.end()


def check_findable(kind: type) -> None:
    """Raises UsageError for a class that no other process could find."""
    if "<locals>" in kind.__qualname__:
        where = kind.__qualname__.rpartition(".<locals>")[0]
        what = f"{kind.__qualname__} is defined inside of a function ({where}), where no restart can find it. Nothing was run."
        raise UsageError(f"{what} Define it at the top of its module.")


def _modules(tops: set[str]) -> tuple[Module, ...]:
    """Those of these top-level packages that are loaded here, and where they are."""
    found = []
    for name, module in sorted(sys.modules.items()):
        if name.partition(".")[0] in tops - {"__main__", "coopy"} and module is not None:
            file, folders = getattr(module, "__file__", None), getattr(module, "__path__", None)
            if file or folders is not None:
                found.append(Module(name, os.path.abspath(file) if file else "", None if folders is None else tuple(folders)))  # noqa: PTH100 - a text, as importlib has it
    return tuple(found)
