from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Optional, Union

from coopy import System, View, init_system, readonly


@dataclass
class Piece:
    kind: str
    square: str = "a1"


@dataclass
class Game:
    white: str
    pieces: list[Piece] = field(default_factory=list)
    clocks: dict[str, float] = field(default_factory=dict)
    king: Piece | None = None

    def moves(self) -> int:
        return len(self.pieces)


GameView = View[Game]


class Club:
    def __init__(self) -> None:
        self.games: list[Game] = []

    def start(self, white: str) -> None:
        self.games.append(Game(white))

    @readonly
    def game(self, number: int) -> Game:
        return self.games[number]


def draw(game: GameView) -> None:
    game.white = "x"  # E: coopy-mutate
    game.pieces[0].square = "b2"  # E: coopy-mutate
    game.clocks["x"] = 3.0  # E: coopy-mutate
    if game.king:
        game.king.square = "c3"  # E: coopy-mutate
    print(game.moves(), game.white.upper(), [piece.kind for piece in game.pieces])


def maybe(game: Optional[View[Game]] = None, *more: View[Game], **named: View[Piece]) -> int:
    if game is None:
        game = Game("default")
        game.white = "mine"
        return game.moves()
    game.pieces.clear()  # E: coopy-mutate
    for other in more:
        other.pieces.clear()  # E: coopy-mutate
    named["king"].kind = "x"  # E: coopy-mutate
    return sum(other.moves() for other in more)


def mapped(games: Mapping[str, View[Game]], order: Sequence[str]) -> Iterator[str]:
    for name in order:
        games[name].white = name  # E: coopy-mutate
        yield games[name].white
    for game in games.values():
        own = replace(game, white="copy")
        own.white = "x"
        deep = copy.deepcopy(game)
        deep.pieces.append(Piece("x"))
        deep.pieces[0].square = "d4"
        yield deep.white


def either(thing: Union[View[Game], View[Piece]]) -> str:
    if isinstance(thing, Piece):
        thing.kind = "x"  # E: coopy-mutate
        return thing.kind
    thing.clocks.update({"x": 1.0})  # E: coopy-mutate
    return thing.white


@dataclass
class Panel:
    game: View[Game]
    title: str = ""
    cache: dict[str, int] = field(default_factory=dict)

    def show(self) -> str:
        self.title = self.game.white
        self.cache[self.title] = self.game.moves()
        self.game.clocks.clear()  # E: coopy-mutate
        return self.title


def best(club: System[Club]) -> View[Piece]:
    return club.game(0).pieces[0]


def plain(club: System[Club]) -> Game:
    return club.game(0)


club = init_system(Club(), "club")
best(club).square = "h8"  # E: coopy-mutate
plain(club).white = "declared plain"
panel = Panel(club.game(0))
panel.title = "other"
panel.cache.clear()
panel.game.white = "z"  # E: coopy-mutate
panel.game = Game("new")
draw(Game("plain"))
kept: View[Game] = Game("x")
kept.white = "y"  # O: coopy-mutate
reveal_type(best(club))  # R: Piece
reveal_type(panel.game.clocks)  # R: dict[str, float]
