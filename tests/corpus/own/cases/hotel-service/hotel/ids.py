from __future__ import annotations
import itertools
import uuid
from typing import Protocol


class IdSource(Protocol):
    def next(self, kind: str) -> str: ...


class Sequential:
    def __init__(self):
        self._n = {}

    def next(self, kind: str) -> str:
        self._n[kind] = self._n.get(kind, 0) + 1
        return f"{kind}-{self._n[kind]}"


class Random:
    def next(self, kind: str) -> str:
        return f"{kind}-{uuid.uuid4()}"
