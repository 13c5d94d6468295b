"""What the validator says of one class, and where that is kept, so that an unchanged program is not analysed again.

    <folder>/verdicts-<python>/<hash of the class, or of the files of a run, and of the options>    MAGIC, a checksum, msgpack of Kept

A record counts while all that the analysis has read is the same: the content of its files, whatever lay where it looked for a module (a
file that newly appears there counts, too), and the validator itself. This file and `target` are all that a warm `init_system` loads:
neither LibCST nor the linker nor the rules.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from coopy.logs import logger

__all__ = ["Facts", "Finding", "Free", "Step", "Verdict", "content_key", "default_folder", "remember", "remembered"]

log = logger("validation")
MAGIC = b"coopy-verdict\n"
_HERE = Path(__file__).parent


class Step(msgspec.Struct, frozen=True):
    """One call on the way: where it is written, in which function."""

    path: str
    line: int
    name: str


class Finding(msgspec.Struct, frozen=True):
    """One judgement. `call_path` leads from an entry point to the place; `help` says what to write instead.

    For `--fix`: `name` of what is used there, and whether it is always `own`, in a method of a domain object with its clock.
    """

    rule: str
    category: str
    severity: str
    path: str
    line: int
    column: int
    message: str
    help: str
    domain: str
    entry_point: str
    call_path: tuple[Step, ...]
    name: str = ""
    own: bool = False


class Free(msgspec.Struct, frozen=True):
    """A method that changes nothing before it raises, if all of this holds where it runs.

    `functions`: way to each function that it runs -> digest of its code, a way being the method's name and then names of globals;
    `builtins`, `errors`: (way, name) of globals that must be the builtin, or an exception class whose making runs no code of the program;
    `attributes`: name -> the kind of value ("atom", "dict", "list", ...) that it must hold at the raise.
    """

    method: str
    functions: dict[str, str]
    builtins: tuple[tuple[str, str], ...]
    errors: tuple[tuple[str, str], ...]
    attributes: dict[str, str]


class Facts(msgspec.Struct, frozen=True):
    """What others may rely on. `readonly`: methods that change no state; `attributes`: what those of the domain may hold, by name."""

    readonly: tuple[str, ...] = ()
    free: tuple[Free, ...] = ()
    attributes: dict[str, tuple[str, ...]] = {}


class Verdict(msgspec.Struct, frozen=True):
    """All that a run says of one class. `unseen`: why it, or a part of it, was not looked at."""

    findings: tuple[Finding, ...] = ()
    facts: Facts = Facts()
    unseen: str = ""


T = TypeVar("T")


class Kept(msgspec.Struct, Generic[T], frozen=True):
    """A verdict, or what else was found, and what it rests on: files by content, and whether there is a file (or, with a slash behind it, a folder) at a place."""

    tool: str
    files: dict[str, str]
    places: dict[str, bool]
    verdict: T


def default_folder(chosen: str | None = None) -> str | None:
    """Where summaries and verdicts are kept: COOPY_CACHE (empty for nowhere), what was chosen, or the user's folder for caches."""
    named = os.environ.get("COOPY_CACHE", chosen)
    if named is not None:
        return named or None
    home = os.path.expanduser("~")
    usual = os.path.join(home, "Library", "Caches") if sys.platform == "darwin" else os.path.join(home, ".cache")
    caches = os.environ.get("XDG_CACHE_HOME", "")  # one that is relative counts for nothing, says its standard
    return os.path.join(caches if os.path.isabs(caches) else usual, "coopy", "validator")


def content_key(data: bytes) -> str:
    """How a content is named."""
    return hashlib.blake2b(data, digest_size=20).hexdigest()


def remembered(folder: str | None, about: tuple[object, ...], kind: type[T]) -> T | None:
    """The verdict on a class and its options, or another kind of finding, if one is kept and still counts."""
    if folder is None:
        return None
    try:
        data = _place(folder, about).read_bytes()
    except OSError:
        return None
    start = len(MAGIC) + 16
    if not data.startswith(MAGIC) or _checksum(data[start:]) != data[len(MAGIC) : start]:
        log.info("a cached verdict was damaged or not ours; it is made again")
        return None
    try:
        kept: Kept[T] = msgspec.msgpack.decode(data[start:], type=Kept[kind])  # type: ignore[valid-type]
    except msgspec.DecodeError:
        return None  # of an older version of coopy: it is made again
    return kept.verdict if kept.tool == _tool() and _still(kept) else None


def remember(folder: str | None, about: tuple[object, ...], files: dict[str, str], places: dict[str, bool], verdict: object) -> None:
    """Keep a verdict. Where that cannot be, the next run costs more, and nothing else."""
    tool = _tool()
    if folder is None or not tool:
        return
    body = msgspec.msgpack.encode(Kept(tool, files, places, verdict))
    place = _place(folder, about)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        partial = place.with_name(f"{place.name}.{os.getpid()}")
        partial.write_bytes(MAGIC + _checksum(body) + body)
        partial.replace(place)
    except OSError as error:
        log.info("the cache in %s cannot be written (%s); the next opening analyses again", folder, error.strerror)


def _place(folder: str, about: tuple[object, ...]) -> Path:
    return Path(folder, f"verdicts-{sys.version_info[0]}.{sys.version_info[1]}", content_key(repr(about).encode("utf-8", "replace")))


def _checksum(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=16).digest()


def _still(kept: Kept[T]) -> bool:
    """Whether everything is as it was when the verdict was made."""
    for path, there in kept.places.items():
        if (os.path.isdir(path) if path.endswith(os.sep) else os.path.isfile(path)) is not there:
            return False
    try:
        return all(content_key(Path(path).read_bytes()) == key for path, key in kept.files.items())
    except OSError:
        return False


def _tool() -> str:
    """The validator itself: its files as the file system tells them apart. Empty where it does not lie in files."""
    try:
        stats = [
            (one.name, one.stat().st_size, one.stat().st_mtime_ns)
            for folder in (_HERE, _HERE / "link", _HERE / "rules")
            for one in os.scandir(folder)
            if one.name.endswith(".py")
        ]
        table = os.stat(_HERE.parent / "catalogue.msgpack")
    except OSError:
        return ""
    return content_key(repr((sorted(stats), table.st_size, table.st_mtime_ns)).encode())
