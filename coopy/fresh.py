"""A fresh interpreter beside this one: for work that must not depend on this process, or must not disturb it.

    here      Fresh(function, task, surroundings) starts Python and hands over what to do; its messages come back one by one
    there     the function is found by name and called with the task and with `tell`, which sends a message back

Both ways go frames: a letter, a length (4 bytes, little-endian), that many bytes. To there "t" with the work, and then nothing: the end of its
standard input means that nobody waits any more, and the process ends at once. From there "m" with a message, "e" with an error, "d" when done.
What the function prints goes to standard error, which is kept and quoted if the process ends without a word.

There, Python runs as it was started here, and modules are found as here. A class of the script that runs here is found by running its file
once more under another name, as multiprocessing does; such a script must not do its work unless `__name__` says that it is the program.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import struct
import sys
import threading
import types
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

import msgspec

from coopy import error as errors
from coopy.error import CoopyError, UsageError
from coopy.kinds import STAND_IN

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Fresh",
    "Interpreter",
    "Surroundings",
    "is_fresh",
    "pack",
    "pack_error",
    "program",
    "receive",
    "send",
    "serve",
    "take_locale",
    "take_main",
    "unpack",
    "unpack_error",
]

T = TypeVar("T")
FRAME = struct.Struct("<cI")
QUOTED = 2000  # bytes of standard error
TEXT = 1  # the code of text in MessagePack that is no UTF-8
TELLING = ("utf8", "gil", "warn_default_encoding")  # of the -X options

_serving = False


class Surroundings(msgspec.Struct, frozen=True):
    """What is to be otherwise there than here; empty: as it is here.

    `hash_seed`: as PYTHONHASHSEED; `zone`: as TZ; `locales`: the first of these that the machine has is set; `directory`: where it runs;
    `nice`: how much it stands back behind others, as os.nice.
    """

    hash_seed: str = ""
    zone: str = ""
    locales: tuple[str, ...] = ()
    directory: str = ""
    nice: int = 0


class _Work(msgspec.Struct, frozen=True):
    function: str
    task: bytes
    script: str
    module: str
    locales: tuple[str, ...]
    nice: int


def is_fresh() -> bool:
    """Whether this process was started here to work beside another one: then it opens no system, and starts no process of its own."""
    return _serving


class Interpreter:
    """A Python process that runs `serve()` of a module. Frames go to `tasks` and come from `answers`; what it prints is kept.

    Raises UsageError where this Python does not know its own executable.
    """

    def __init__(self, module: str, surroundings: Surroundings) -> None:
        import subprocess
        import tempfile

        if _main_runs.is_set():
            what = "The script is run again, under another name, where its classes are looked for, and does its work there, too. Nothing was done"
            raise UsageError(f'{what}: put what it does under `if __name__ == "__main__":`.')
        if not sys.executable:
            raise UsageError("This Python does not know its own executable (sys.executable is empty), so it cannot start another one.")
        path = [str(Path(one).absolute()) for one in sys.path]
        code = f"import sys; sys.path[:] = {path!r}; from {module} import serve; serve()"
        self._noise = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `end`
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter, with code of ours
            [sys.executable, *_options(), "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._noise,
            env=_environment(surroundings), cwd=surroundings.directory or None,
        )  # fmt: skip
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.tasks, self.answers = self._process.stdin, self._process.stdout
        self._last_words = ""

    @property
    def ended(self) -> bool:
        """Whether `end` was called."""
        return self._noise.closed

    def wait(self) -> None:
        """Until it ends by itself."""
        self._process.wait()

    def kill(self) -> None:
        """Have it end now, if it has not. May be repeated, by any thread."""
        self._process.kill()

    def end(self) -> None:
        """End it now and close what leads there. May be repeated."""
        if self.ended:
            return
        self.kill()
        self.wait()
        self._noise.seek(max(0, self._noise.seek(0, os.SEEK_END) - QUOTED))
        self._last_words = self._noise.read().decode(errors="replace").strip()
        for stream in (self.tasks, self.answers, self._noise):
            with contextlib.suppress(OSError):
                stream.close()

    def told_end(self, what: str) -> UsageError:
        """That it ended, with its exit status and its last words."""
        said = f"{what} ended by itself ({self._process.returncode})"
        return UsageError(f"{said}: {self._last_words}" if self._last_words else f"{said}.")


class Fresh:
    """One process. Iterate over its messages; `cancel` from any thread ends it at once, and so does the end of this process.

    `function`: "module:name" of a function that takes the task and `tell`. `script`: whether it needs classes of the script that runs here.
    Raises UsageError where that cannot be found there, and in a process that was started so itself.
    """

    def __init__(self, function: str, task: bytes, surroundings: Surroundings, *, script: bool = False) -> None:
        if _serving:
            what = "A process that works beside another one was to start one itself: it ran a script again, or imported a module, only to find classes."
            raise UsageError(f'{what} Have a script do its work under `if __name__ == "__main__":` only.')
        path_of_script, module = program() if script else ("", "")
        work = _Work(function, task, path_of_script, module, surroundings.locales, surroundings.nice)
        self._cancelled = False
        self._interpreter = Interpreter("coopy.fresh", surroundings)
        with contextlib.suppress(BrokenPipeError):  # it ended already: its last words say why
            send(self._interpreter.tasks, b"t", pack(work))

    def __iter__(self) -> Iterator[bytes]:
        """The messages, as they come. Raises the error that ended the function there, UsageError if the process ended without one.

        After `cancel` they just end.
        """
        try:
            letter, content = receive(self._interpreter.answers)
            while letter == b"m":
                yield content
                letter, content = receive(self._interpreter.answers)
            if not letter:
                self._interpreter.wait()
        finally:
            self._interpreter.end()
        if letter == b"e":
            raise unpack_error(content)
        if not letter and not self._cancelled:
            raise self._interpreter.told_end("A process that was to work beside this one")

    def cancel(self) -> None:
        """End it now, if it has not ended. May be repeated, by any thread."""
        self._cancelled = True
        self._interpreter.kill()


def program() -> tuple[str, str]:
    """How another process finds what runs here: the path of a script, or the name of a module (python -m)."""
    main = sys.modules.get("__main__")
    spec, path = getattr(main, "__spec__", None), getattr(main, "__file__", None)
    if spec is not None:
        return "", str(spec.name)
    if path is None or not Path(path).is_file():
        raise UsageError("Another process cannot find classes that were typed into an interactive Python. Put them into a module.")
    return str(Path(path).absolute()), ""


def _options() -> list[str]:
    """What this Python was started with, as far as a domain may do otherwise without it: asserts, warnings that are errors, what files and numbers are read as."""
    settings = {name: value for name, value in sys._xoptions.items() if name in TELLING}  # noqa: SLF001 - there is no other word of it
    settings["int_max_str_digits"] = sys.get_int_max_str_digits()
    return [
        *["-O"] * sys.flags.optimize,
        *["-b"] * sys.flags.bytes_warning,
        *(f"-W{one}" for one in sys.warnoptions),
        *(f"-X{name}" if value is True else f"-X{name}={value}" for name, value in settings.items()),
    ]


def _environment(surroundings: Surroundings) -> dict[str, str]:
    changed = {"PYTHONHASHSEED": surroundings.hash_seed, "TZ": surroundings.zone}
    return {**os.environ, **{name: value for name, value in changed.items() if value}}


# --- frames ----------------------------------------------------------------------------------------------------------


def send(stream: IO[bytes], letter: bytes, content: bytes) -> None:
    """One frame."""
    stream.write(FRAME.pack(letter, len(content)) + content)
    stream.flush()


def receive(stream: IO[bytes]) -> tuple[bytes, bytes]:
    """The next frame; an empty letter where the other side has ended, also in the middle of one."""
    front = stream.read(FRAME.size)
    if len(front) < FRAME.size:
        return b"", b""
    letter, length = FRAME.unpack(front)
    content = stream.read(length)
    return (letter, content) if len(content) == length else (b"", b"")


def pack(value: object) -> bytes:
    """A value of ours as the content of a frame. Text that is no key may hold surrogates, as that of a path does which is no UTF-8."""
    try:
        return msgspec.msgpack.encode(value)
    except UnicodeEncodeError:
        return msgspec.msgpack.encode(_without_surrogates(msgspec.to_builtins(value, builtin_types=(bytes,))))


def unpack(content: bytes, kind: type[T]) -> T:
    """The value again, of this type."""
    return msgspec.convert(msgspec.msgpack.decode(content, ext_hook=lambda _, data: str(data, "utf-8", "surrogatepass")), kind)


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_surrogates(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_surrogates(one) for one in value]
    return value if not isinstance(value, str) or value.isascii() else msgspec.msgpack.Ext(TEXT, value.encode("utf-8", "surrogatepass"))


def pack_error(error: Exception) -> bytes:
    """An error of coopy's by class, text and values; of any other what it says."""
    known = isinstance(error, CoopyError)
    name, text = (type(error).__name__, str(error)) if known else ("UsageError", f"{type(error).__name__}: {error}")
    values = {key: value for key, value in vars(error).items() if known and isinstance(value, str | int | float | bool | list | tuple)}
    return pack((name, text, values))


def unpack_error(content: bytes) -> CoopyError:
    """The error again; a CoopyError where it is of a class that is not known here."""
    name, text, values = unpack(content, tuple[str, str, dict[str, Any]])
    kind: type[CoopyError] = getattr(errors, name, CoopyError)
    return kind(text, **values)


# --- there -----------------------------------------------------------------------------------------------------------


def serve() -> None:
    """What the fresh process does: one piece of work, as it comes on standard input."""
    global _serving
    _serving = True
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _, content = receive(sys.stdin.buffer)
    work = unpack(content, _Work)
    parent = os.dup(0)
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)  # whoever asks for input there gets none, instead of waiting
    threading.Thread(target=_end_with_parent, args=(parent,), daemon=True).start()
    try:
        os.nice(work.nice)
        take_locale(work.locales)
        take_main(work.script, work.module)
        module, _, name = work.function.partition(":")
        getattr(importlib.import_module(module), name)(work.task, lambda message: send(answers, b"m", message))
    except BrokenPipeError:
        return
    except Exception as error:  # noqa: BLE001 - whatever it is, it is to be heard over there
        send(answers, b"e", pack_error(error))
    else:
        send(answers, b"d", b"")


def _end_with_parent(parent: int) -> None:
    os.read(parent, 1)  # not through sys.stdin, whose lock would be held when this interpreter ends
    os._exit(1)


def take_locale(locales: tuple[str, ...]) -> None:
    """The first that this machine has is set, and is what `setlocale(LC_ALL, "")` finds."""
    import locale

    for one in locales:
        with contextlib.suppress(locale.Error):
            locale.setlocale(locale.LC_ALL, one)
            os.environ["LC_ALL"] = one
            return


_main_runs = threading.Event()  # of this process: what it starts then would start the same again, without an end


def take_main(script: str, module: str) -> None:
    """Have `__main__` mean here what it means there, as `program` says it."""
    if not (script or module):
        return
    import runpy

    _main_runs.set()
    try:
        names = runpy.run_module(module, run_name=STAND_IN) if module else runpy.run_path(script, run_name=STAND_IN)
    finally:
        _main_runs.clear()
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    vars(main).update(names, __name__="__main__")
    for value in names.values():
        _rename(value)


def _rename(value: object) -> None:
    """A class of the script, and those in it, say that they are of `__main__`."""
    if isinstance(value, type) and value.__module__ == STAND_IN:
        value.__module__ = "__main__"
        for inner in vars(value).values():
            _rename(inner)
