"""What source a domain class is made of: a hash for each module of its own that it reaches, so that a restart can tell that the code has changed.

Its module, and by the names in it all others that pass for the domain's own; what is imported inside of functions is not seen. Modules, not
files: a program may lie elsewhere tomorrow. Nothing is imported, a module without a source file has no hash.
"""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["differences", "fingerprint", "whole"]

SIZE = 8  # bytes: it tells versions of a file apart, it protects nothing
OF_NO_MODULE = frozenset((str, int, float, bool, type(None), bytes, tuple, list, dict, set, frozenset))
REMEMBERED = 8192  # hashes of files; each has some 300 bytes


def fingerprint(kind: type, own: Callable[[str], bool]) -> dict[str, bytes]:
    """Module name -> hash of its source; empty if the class's own has none. `own`: whether a module is the domain's."""
    found: dict[str, bytes] = {}
    if (first := _hash_of(kind.__module__)) is None:
        return found
    found[kind.__module__] = first
    seen = {kind.__module__}
    waiting = _around(kind.__module__) - seen
    while waiting:
        name = waiting.pop()
        seen.add(name)
        if not own(name):
            continue
        waiting |= _around(name) - seen
        if (one := _hash_of(name)) is not None:
            found[name] = one
    return dict(sorted(found.items()))


def _around(name: str) -> set[str]:
    """The modules that a module's names are of, and the package it lies in."""
    found = {name.rpartition(".")[0]}
    for value in [*getattr(sys.modules.get(name), "__dict__", {}).values()]:
        if type(value) not in OF_NO_MODULE:
            one = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
            if isinstance(one, str):
                found.add(one)
    return found - {""}


def _hash_of(name: str) -> bytes | None:
    path = getattr(sys.modules.get(name), "__file__", None)
    if not isinstance(path, str) or not path.endswith(".py"):
        return None
    try:
        now = os.stat(path)  # noqa: PTH116 - a Path for each of many modules takes longer than all else here
        return _hash_at(path, (now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns))
    except OSError:
        return None


@lru_cache(maxsize=REMEMBERED)
def _hash_at(path: str, _version: tuple[int, ...]) -> bytes:
    """Remembered as long as the file is the same by what the system says of it: a process that opens many systems reads it once."""
    return blake2b(Path(path).read_bytes(), digest_size=SIZE).digest()


def whole(modules: dict[str, bytes]) -> bytes:
    """One hash of all."""
    text = b"\0".join(part for name, one in sorted(modules.items()) for part in (name.encode("utf-8", "replace"), one))
    return blake2b(text, digest_size=2 * SIZE).digest()


def differences(before: dict[str, bytes], now: dict[str, bytes]) -> tuple[str, ...]:
    """The modules that are new, gone or otherwise."""
    return tuple(sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name)))
