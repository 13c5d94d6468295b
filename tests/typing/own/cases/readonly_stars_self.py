from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from coopy import init_system, readonly


class Star:
    name: str
    planets: list[str]
    mass: float = 1.0

    def __init__(self, name: str) -> None:
        self.name = name
        self.planets = []


class Sky:
    stars: dict[str, Star]
    seen: int = 0
    log: list[str] = []
    index: defaultdict[str, set[str]]

    def __init__(self) -> None:
        self.stars = {}
        self.index = defaultdict(set)
        self.pole: Star | None = None
        self.grid = [[0, 1], [2, 3]]

    def find(self, name: str) -> Star:
        self.seen += 1
        return self.stars[name]

    @readonly
    def look(self, name: str) -> Star:
        self.seen += 1  # E: coopy-readonly
        self.log.append(name)  # E: coopy-readonly
        self.index[name].add("seen")  # E: coopy-readonly
        self.stars.setdefault(name, Star(name))  # E: coopy-readonly
        self.stars[name].mass = 2  # E: coopy-readonly
        self.stars[name] = Star(name)  # E: coopy-readonly
        self.grid[0][1] = 3  # E: coopy-readonly
        self.grid[0].sort()  # E: coopy-readonly
        return self.find(name)  # E: coopy-readonly

    @readonly
    def bright(self) -> list[Star]:
        if self.pole is None:
            return []
        self.pole.mass = 0  # E: coopy-readonly
        pole = self.pole
        pole.planets.append("x")  # E: coopy-readonly
        stars = [star for star in self.stars.values() if star.mass > 3]
        stars.append(pole)
        for star in self.stars.values():
            star.mass += 1  # E: coopy-readonly
        for star in (Star("a"), Star("b")):
            star.mass += 1
        match self.pole:
            case Star(name=name):
                print(name)
        grid = [row[:] for row in self.grid]
        grid[0][0] = 3
        return stars

    @readonly
    def names(self) -> Iterator[str]:
        names = set(self.stars)
        names.add("x")
        seen = self.seen
        seen += 1
        for name in sorted(names):
            yield f"{name}{seen}"

    @readonly
    def simulate(self) -> Sky:
        sky = Sky()
        sky.seen = self.seen + 1
        sky.stars.update({name: Star(name) for name in self.stars})
        sky.stars["x"].planets.append("y")
        sky.log = [*self.log]
        sky.log.append("simulated")
        sky.find("x").mass = 3
        with open("log.txt", "w") as out:
            out.write("x")
            out.writelines(self.log)
        return sky

    def write(self) -> None:
        self.log.append("x")
        self.stars.clear()
        if self.pole:
            self.pole.mass = 4


sky = init_system(Sky())
sky.simulate().seen = 3
sky.look("x").mass = 3  # E: coopy-mutate
