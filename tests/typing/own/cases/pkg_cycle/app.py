from __future__ import annotations

from coopy import System, init_system

from . import model as m
from .model import Model
from .parts import Part


class App:
    title = "x"

    def __init__(self, model: System[Model] | None = None) -> None:
        self.model = model if model is not None else init_system(Model())
        self.other = init_system(m.Model())
        self.count = 0
        self.names: list[str] = []
        self.part: Part | None = None

    def touch(self) -> None:
        self.count += 1
        self.model.size = 2  # E: coopy-set
        self.other.size = 2  # E: coopy-set
        self.model.get("x").weight = 3  # E: coopy-mutate
        self.part = Part("x")
        self.part.attach(Model())
        self.part.weight = 3
        self.names = self.model.names()
        self.names.append("x")
        self.model.render(self)


def main() -> None:
    app = App()
    app.title = "y"
    app.count += 1
    app.touch()
    app.model.add("x")
    app.model.add("x").weight += 1  # E: coopy-mutate
    app.model.stamp()
