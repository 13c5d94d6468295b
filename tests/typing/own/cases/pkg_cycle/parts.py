from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .model import Model


class Part:
    owner: Model | None = None

    def __init__(self, name: str) -> None:
        self.name = name
        self.weight = 1
        self.tags: list[str] = []

    def attach(self, model: Model) -> None:
        self.owner = model
        model.size += 1
        model.parts[self.name] = self
