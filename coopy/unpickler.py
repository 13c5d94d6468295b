"""The unpickler that everything passes which comes back: it lets through what it is told to, and looks whether a class was changed.

It is C's, for its speed, and cannot be stopped in the middle; `older.py` has the one that can, in Python, for what needs it.
"""

from __future__ import annotations

import copyreg
import pickle
from contextlib import contextmanager
from enum import Enum
from operator import is_
from typing import TYPE_CHECKING, Any, cast

from coopy.older import MARKS, root_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Seen = dict[
        int, tuple[tuple[Any, Mapping[str, Any], dict[str, Any]], ...]
    ]  # by a class's id: who holds attributes, which now, which before

__all__ = ["Behind", "ChangedError", "StateUnpickler", "Unpickler", "read_again"]

IMMUTABLE = 1 << 8  # Py_TPFLAGS_IMMUTABLETYPE: nobody can set an attribute of such a class


class ChangedError(Exception):
    """A class is not as it was when a pickle was read the last time that names it. `kinds`: those that are named."""

    def __init__(self, kinds: list[int], seen: Seen) -> None:
        super().__init__()
        self.kinds, self._seen = kinds, seen

    def forget(self) -> None:
        """It was the program that changed it, as it may."""
        for kind in self.kinds:
            self._seen.pop(kind, None)

    def put_back(self) -> None:
        """It was the pickle: what it changed becomes what it was."""
        for kind in self.kinds:
            for holder, live, before in self._seen[kind]:
                for name in live.keys() - before.keys():
                    delattr(holder, name)
                for name, value in before.items():
                    if live.get(name) is not value:
                        setattr(holder, name, value)


@contextmanager
def read_again(error: Exception) -> Iterator[None]:
    """By the reader that can be stopped: it refuses a pickle that changes a class."""
    try:
        yield
    except pickle.UnpicklingError:
        if isinstance(error, ChangedError):
            error.put_back()
        raise
    if isinstance(error, ChangedError):
        error.forget()


class Unpickler(pickle.Unpickler):
    """Lets through what `find` lets through. `seen`: how classes were; shared by all that read for one system.

    A pickle that gives a state to a class, or to a member of an enumeration, changes it for everybody. None of coopy's does, and this reader
    cannot be kept from it, so it looks afterwards: ChangedError.
    """

    def __init__(self, source: Any, find: Callable[[str, str], Any], seen: Seen) -> None:
        super().__init__(source)
        # Codes registered with copyreg are looked up in this cache before find_class is asked.
        copyreg._extension_cache.clear()  # type: ignore[attr-defined]  # noqa: SLF001
        self._find, self._seen = find, seen
        self._named: list[int] = []

    def find_class(self, module: str, name: str) -> Any:
        """As pickle.Unpickler.find_class."""
        found = self._find(module, name)
        if id(found) not in self._seen:
            self._seen[id(found)] = _as_it_is(found)
        self._named.append(id(found))
        return found

    def load(self) -> Any:
        """As pickle.Unpickler.load. Raises ChangedError."""
        try:
            return super().load()
        finally:
            self._check()

    def _check(self) -> None:
        seen = self._seen
        for kind in self._named:
            for _, live, before in seen[kind]:
                # By identity: comparing values would run what they say of equality. A changed order is a change as well.
                if len(live) != len(before) or not all(map(is_, live.values(), before.values())):
                    raise ChangedError(self._named, seen)

    def persistent_load(self, pid: Any) -> Any:
        """Nothing of coopy's writes one."""
        raise pickle.UnpicklingError(f"a persistent id ({pid!r}) is never let through.")


def _as_it_is(kind: Any) -> tuple[tuple[Any, Mapping[str, Any], dict[str, Any]], ...]:
    """What a pickle could change of a class: who holds it, how that is at any time, how it is now."""
    if not isinstance(kind, type) or kind.__flags__ & IMMUTABLE:
        return ()
    holders: list[Any] = [kind, *(kind.__members__.values() if issubclass(kind, Enum) else ())]
    return tuple((holder, vars(holder), dict(vars(holder))) for holder in holders)


class Behind:
    """A stream whose first byte was read already."""

    def __init__(self, first: bytes, source: Any) -> None:
        self._first, self._source = first, source

    def read(self, size: int) -> bytes:
        """As a file's."""
        first, self._first = self._first[:size], b""
        return first + cast("bytes", self._source.read(size - len(first)))

    def readline(self) -> bytes:
        """As a file's, which protocol 5 has no use for."""
        raise pickle.UnpicklingError("it has lines, as no pickle of this protocol.")


class StateUnpickler(Unpickler):
    """Knows the mark of the domain object, too, which is no part of any call."""

    def __init__(self, source: Any, find: Callable[[str, str], Any], seen: Seen, into: Any) -> None:
        super().__init__(source, find, seen)
        self._into = into

    def find_class(self, module: str, name: str) -> Any:
        """As pickle.Unpickler.find_class."""
        return self._make_root if (module, name) == (MARKS, "_Root") else super().find_class(module, name)

    def _make_root(self, made: Any, *args: Any) -> Any:
        return root_of(made if isinstance(made, type) else made.args[0], args, self._into)
