from __future__ import annotations

from typing import TYPE_CHECKING

from coopy import readonly

if TYPE_CHECKING:
    from .app import App
    from .parts import Part


class Model:
    def __init__(self) -> None:
        self.parts: dict[str, Part] = {}
        self.size = 1

    def add(self, name: str) -> Part:
        from .parts import Part

        self.parts[name] = part = Part(name)
        return part

    def stamp(self) -> str:
        return str(self._clock.now())  # P: attr-defined

    @readonly
    def get(self, name: str) -> Part:
        return self.parts[name]

    @readonly
    def names(self) -> list[str]:
        return sorted(self.parts)

    @readonly
    def render(self, app: App) -> str:
        app.count += 1
        app.touch()
        app.names.append("x")
        return app.title

    @readonly
    def grow(self, part: Part) -> None:
        part.weight += 1
        self.parts["x"].weight += 1  # E: coopy-readonly
