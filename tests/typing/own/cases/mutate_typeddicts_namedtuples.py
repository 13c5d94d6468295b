from __future__ import annotations

from typing import NamedTuple, TypedDict

from coopy import System, readonly


class Opt(TypedDict):
    name: str
    vals: list[int]


class NT(NamedTuple):
    n: int
    l: list[int]


class Game:
    def __init__(self) -> None:
        self.opt: Opt = {"name": "x", "vals": []}
        self.opts: list[Opt] = []
        self.nt = NT(1, [])
        self.nts: dict[str, NT] = {}
        self.pair: tuple[int, list[int]] = (1, [])
        self.players: dict[str, str] = {}
        self.turn = 0

    @readonly
    def bad(self) -> None:
        self.opt["name"] = "x"  # E: coopy-readonly
        self.opt["vals"].append(1)  # E: coopy-readonly
        self.nt.l.append(1)  # E: coopy-readonly
        self.pair[1].append(1)  # E: coopy-readonly
        for opt in self.opts:
            opt["name"] = "x"  # O: coopy-readonly
        me = self
        me.turn = 3  # E: coopy-readonly
        with open("x") as self.f:  # O: coopy-readonly
            pass


def use(game: System[Game]) -> None:
    game.opt["name"] = "x"  # E: coopy-mutate
    game.opt["vals"].append(1)  # E: coopy-mutate
    game.opt.update({"name": "x"})  # E: coopy-mutate
    game.opt.setdefault("name", "x")  # E: coopy-mutate
    game.opts[0]["name"] = "x"  # E: coopy-mutate
    game.nt.l.append(3)  # E: coopy-mutate
    game.nts["x"].l.append(3)  # E: coopy-mutate
    game.pair[1].append(3)  # E: coopy-mutate
    opt = game.opt
    opt["name"] = "y"  # O: coopy-mutate
    del game.players["x"], game.players["y"]  # E: coopy-mutate
    del game.players["x"]  # E: coopy-mutate
    copied = dict(game.opt)
    copied["name"] = 3
    typed = game.opt.copy()
    typed["name"] = "x"
    made: Opt = {**game.opt}
    made["name"] = "x"
    other = game.nt._replace(n=3)
    n, l = game.nt
    l.append(3)  # E: coopy-mutate
    print(other, n)
