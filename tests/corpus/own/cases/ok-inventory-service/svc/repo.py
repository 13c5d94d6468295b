from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Repo(MutableMapping[K, V], Generic[K, V]):
    def __init__(self) -> None:
        self._rows: dict[K, V] = {}
        self._undo: list[tuple[K, V | None]] | None = None

    def __getitem__(self, key: K) -> V:
        return self._rows[key]

    def __setitem__(self, key: K, value: V) -> None:
        if self._undo is not None:
            self._undo.append((key, self._rows.get(key)))
        self._rows[key] = value

    def __delitem__(self, key: K) -> None:
        del self._rows[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    @contextmanager
    def unit(self):
        self._undo = []
        try:
            yield self
        except Exception:
            for key, value in reversed(self._undo):
                if value is None:
                    self._rows.pop(key, None)
                else:
                    self._rows[key] = value
            raise
        finally:
            self._undo = None
