"""Summaries on disk, by content: a file that has not changed is not parsed again, whatever it is called and wherever it lies.

    <folder>/<format>-<python>/<two digits>/<hash of the text>    msgpack of a Module, behind MAGIC and a checksum

An entry that is damaged or foreign is made again, and `notes` says so. A folder that cannot be written costs time, never the analysis.
"""

from __future__ import annotations

import gc
import hashlib
import os
import sys
from pathlib import Path

import msgspec

from coopy.validation import summary as s
from coopy.validation.deep import room_for
from coopy.validation.text import UnreadableError, check_depth, decode
from coopy.validation.verdict import content_key, default_folder

__all__ = ["Cache", "analyse", "default_folder"]

RECURSION = 20_000  # Python frames, which take no native stack; a thousand operators in a row need a few thousand
MAGIC = b"coopy-summary\n"


class Cache:
    """A cache in a folder; without one nothing is kept."""

    def __init__(self, folder: str | None) -> None:
        self.root = folder
        self.folder = None if folder is None else Path(folder, f"{s.FORMAT}-{sys.version_info[0]}.{sys.version_info[1]}")
        self.notes: list[str] = []
        self.keys: dict[str, str] = {}  # of the contents that were read, by path
        self._writable = True

    def known(self, path: str) -> s.Module | None:
        """The summary of a file if its content is in the cache."""
        if self.folder is None:
            return None
        try:
            data = Path(path).read_bytes()
        except OSError:
            return None  # said by `summary`
        self.keys[path] = content_key(data)
        return self._load(self.keys[path], path)

    def summary(self, path: str) -> s.Module | s.Problem:
        """The summary of a file, from the cache if its content is known."""
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            return s.Problem(path, 1, 1, f"it cannot be read: {error.strerror}")
        key = self.keys[path] = content_key(data)
        if (known := self._load(key, path)) is not None:
            return known
        result = analyse(path, data)
        if isinstance(result, s.Module):
            self._store(key, result)
        return result

    def _place(self, key: str) -> str:
        return os.path.join(str(self.folder), key[:2], key[2:])

    def _load(self, key: str, path: str) -> s.Module | None:
        if self.folder is None:
            return None
        try:
            with open(self._place(key), "rb") as file:
                data = file.read()
        except OSError:
            return None
        start = len(MAGIC) + 16
        if data.startswith(MAGIC) and hashlib.blake2b(data[start:], digest_size=16).digest() == data[len(MAGIC) : start]:
            try:
                return s.decode_module(data[start:])
            except msgspec.DecodeError:
                pass  # of another program, with our name on it: said below, and made again
        self.notes.append(f"the cached summary of {path} was damaged or not ours; it was made again")
        return None

    def _store(self, key: str, module: s.Module) -> None:
        if self.folder is None or not self._writable:
            return
        body = s.encode(module)
        place = self._place(key)
        try:
            _put(place, MAGIC + hashlib.blake2b(body, digest_size=16).digest() + body)
        except OSError as error:
            self._writable = False
            self.notes.append(f"the cache in {self.folder} cannot be written ({error.strerror}); the analysis goes on without it")


def _put(place: str, data: bytes) -> None:
    """Write a file whole; its folder is made if it is the first there."""
    partial = f"{place}.{os.getpid()}"
    try:
        _fill(partial, data)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(place), exist_ok=True)
        _fill(partial, data)
    os.replace(partial, place)


def _fill(path: str, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)


def analyse(path: str, data: bytes) -> s.Module | s.Problem:
    """The summary of a file's content, or why there is none."""
    from coopy.validation.extract import extract

    collecting = gc.isenabled()
    gc.disable()  # a tree holds no cycles: looking through it for some only takes time
    try:
        with room_for(RECURSION):
            text = decode(data)
            check_depth(text)
            return extract(text)
    except UnreadableError as error:
        return s.Problem(path, error.line, error.column, error.message)
    except RecursionError:
        return s.Problem(path, 1, 1, "its expressions are nested too deep")
    finally:
        if collecting:
            gc.enable()
