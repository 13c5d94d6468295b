"""What runs in the fresh processes of the nursery: the parent of all, which forks, and what its children do."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import select
import signal
import sys
import threading
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from coopy.error import UsageError
from coopy.fresh import pack_error, receive, send, take_locale, take_main, unpack
from coopy.project import project_at
from coopy.testing.nursery import Errand, Module, Start
from coopy.testing.otherwise import shift_time

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

__all__ = ["serve"]


class _AsThere:
    """Finds modules where they were found in the process that asks."""

    def __init__(self) -> None:
        self.modules: dict[str, Module] = {}

    def find_spec(self, name: str, _path: Sequence[str] | None = None, _target: object = None) -> ModuleSpec | None:
        """As importlib asks."""
        one = self.modules.get(name)
        if one is None:
            return None
        if one.file:
            return spec_from_file_location(name, one.file, submodule_search_locations=None if one.folders is None else list(one.folders))
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = list(one.folders or ())
        return spec


_finder = _AsThere()


def serve() -> None:
    """The parent of all: forks a child for each errand that comes on standard input, until that ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever asks decides what an interrupt ends
    _, content = receive(sys.stdin.buffer)
    start = unpack(content, Start)
    take_locale(start.locales)
    shift_time(start.shift)
    sys.meta_path.insert(0, _finder)
    with contextlib.suppress(BrokenPipeError):
        while (frame := receive(sys.stdin.buffer))[0]:
            send(answers, *_done(unpack(frame[1], Errand)))


def _done(errand: Errand) -> tuple[bytes, bytes]:
    """The frame to answer with."""
    sys.path[:] = errand.path
    _finder.modules.update({one.name: one for one in errand.modules})
    try:
        for name in (errand.function.partition(":")[0], *errand.preload):
            _remember_project(importlib.import_module(name))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it is, it is to be heard over there
        return b"e", pack_error(UsageError(f"A fresh process could not import what the domain needs: {type(error).__name__}: {error}"))
    out, into = os.pipe()
    gc.freeze()  # a child's collector would write to every object, so that none is shared any more
    child = os.fork()
    if child == 0:
        os.close(out)
        _run(errand, into)
    os.close(into)
    with os.fdopen(out, "rb") as stream:
        answer = stream.read()
    _, status = os.waitpid(child, 0)
    if answer:
        return answer[:1], answer[1:]
    return b"e", pack_error(UsageError(f"A fresh process ended in the middle of the work (status {os.waitstatus_to_exitcode(status)})."))


def _remember_project(module: ModuleType) -> None:
    """Read its settings here, once: a child that opens a system would take a third of its time for that. What is wrong with them, each child says."""
    if module.__file__ is not None:
        with contextlib.suppress(UsageError):
            project_at(Path(module.__file__).absolute().parent)


def _run(errand: Errand, into: int) -> NoReturn:
    """A child: one piece of work, and the end."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        take_main(errand.script, errand.main)
        module, _, name = errand.function.partition(":")
        answer = b"m" + getattr(importlib.import_module(module), name)(errand.task)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
        answer = b"e" + pack_error(
            error if isinstance(error, Exception) else UsageError("The domain's module ended the process (sys.exit).")
        )
    with os.fdopen(into, "wb") as stream:
        stream.write(answer)
    os._exit(0)


def _end_with_parent() -> None:
    """Nobody waits any more when standard input has ended; nothing comes on it meanwhile."""
    watch = select.poll()
    watch.register(0, select.POLLHUP)
    watch.poll()
    os._exit(1)
