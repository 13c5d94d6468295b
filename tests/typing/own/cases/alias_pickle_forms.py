from __future__ import annotations

import asyncio
import copy
import datetime as dt
import io
import itertools
import json
import logging
import os
import queue
import re
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TextIO, TypedDict

from coopy import System, init_system, readonly


class Kind(Enum):
    A = 1


class Pos(NamedTuple):
    x: int
    y: int


class Held(NamedTuple):
    items: list[int]


class Options(TypedDict):
    name: str


@dataclass(frozen=True)
class Money:
    amount: int


@dataclass
class Piece:
    kind: Kind
    pos: Pos = Pos(0, 0)
    money: Money = Money(3)
    moves: list[Pos] = field(default_factory=list)
    when: dt.datetime | None = None

    def moved(self) -> Piece:
        return Piece(self.kind, self.pos)

    def me(self) -> Piece:
        return self


class Game:
    def __init__(self) -> None:
        self.pieces: dict[str, Piece] = {}
        self.names: set[str] = set()
        self.options: Options = {"name": "x"}
        self.frozen: frozenset[str] = frozenset()
        self.id = uuid.uuid4()
        self.path = Path("x")
        self.held = Held([])
        self.log: list[str] = []
        self.pattern = re.compile("x")

    def put(self, name: str, piece: Piece) -> None:
        self.pieces[name] = piece

    def set(self, **options: Any) -> None:
        self.log.append(str(options))

    def anything(self, *things: object) -> None:
        self.log.append(str(things))

    def each(self, names: Iterable[str]) -> None:
        self.log.extend(names)

    def __setitem__(self, name: str, piece: object) -> None:
        self.log.append(name)

    def __delitem__(self, piece: object) -> None:
        self.log.append("x")

    def __call__(self, piece: object) -> None:
        self.log.append("x")

    def __contains__(self, piece: object) -> bool:
        return piece in self.pieces.values()

    @readonly
    def get(self, name: str) -> Piece:
        return self.pieces[name]

    @readonly
    def fresh(self, name: str) -> Piece:
        piece = copy.copy(self.pieces[name])
        return piece

    @readonly
    def same(self, piece: Piece) -> bool:
        return piece is self.pieces["x"]

    @property
    def chosen(self) -> Piece:
        return self.pieces["x"]

    @chosen.setter
    def chosen(self, piece: Piece) -> None:
        self.pieces["x"] = piece


def count() -> Iterator[int]:
    yield 1


async def acount() -> AsyncIterator[int]:
    yield 1


def identity(piece: Piece) -> Piece:
    return piece


game = init_system(Game())
piece = game.get("x")
game.put("y", piece)  # E: coopy-alias
game.put(piece=piece, name="y")  # E: coopy-alias
game.put("y", game.pieces["x"])  # E: coopy-alias
game.put("y", game.chosen)  # E: coopy-alias
game.anything(1, piece)  # E: coopy-alias
game.set(piece=piece)  # E: coopy-alias
game.anything(game.names)  # E: coopy-alias
game.each(game.names)  # E: coopy-alias
game.anything(piece.moves)  # E: coopy-alias
game["x"] = piece  # E: coopy-alias
game(piece)  # E: coopy-alias
game.chosen = piece  # O: coopy-alias
for each in game.pieces.values():
    game.put("z", each)  # E: coopy-alias
game.anything([piece])  # O: coopy-alias
game.anything((piece, 1))  # O: coopy-alias
game.anything(game)  # O: coopy-alias, coopy-pickle
game.anything(game.held)  # O: coopy-alias
game.anything(game.options)  # E: coopy-alias
game.anything(piece.kind, piece.pos, piece.money, piece.when, game.id, game.path, game.frozen, game.pattern)
game.anything(piece.pos.x, piece.kind.value, piece.money.amount, game.options["name"], len(game.names))
game.put("y", copy.deepcopy(piece))
game.put("y", copy.copy(piece))
game.put("y", Piece(piece.kind, piece.pos))
game.put("y", game.fresh("x"))
game.put("y", piece.moved())
game.put("y", identity(piece))
game.each(sorted(game.names))
game.each(list(game.names))
game.each(set(game.names))
game.each(game.names | {"x"})
game.each(game.names.copy())
game.each([n for n in game.names])
game.each({n for n in game.names})
game.each(tuple(game.names))
game.each(frozenset(game.names))
game.anything(dict(game.options))
game.anything({**game.options})
game.anything(piece.moves[:])
game.anything(str(piece), repr(piece), f"{piece}", json.dumps(piece.moves), bool(piece), id(piece))
game.anything(max(game.names), min(game.log), " ".join(game.log))
print(game.same(piece), piece in game, game.same(game.get("x")))
game.anything(lambda: 3)  # E: coopy-pickle
game.set(callback=lambda: 3)  # E: coopy-pickle
game.anything(count())  # O: coopy-pickle
game.anything(x for x in range(3))  # E: coopy-pickle
game["x"] = lambda: 3  # E: coopy-pickle
game["x"] = (x for x in range(3))  # E: coopy-pickle
game(lambda: 3)  # E: coopy-pickle
game.anything(os)  # E: coopy-pickle
game.anything(threading.Lock(), 1)  # E: coopy-pickle
game.anything(threading.Condition())  # O: coopy-pickle
game.anything(sys.stdout)  # O: coopy-pickle
game.anything(tempfile.TemporaryFile())  # O: coopy-pickle
game.anything(io.StringIO("x"), io.BytesIO(b"x"))
game.anything(logging.getLogger("x"), partial(count), count, Piece, print, len, str.lower)
game.anything(range(3), iter([1]), map(str, [1]), zip([1], [2]), enumerate([1]), itertools.count(), reversed([1]))
game.anything([lambda: 3])  # O: coopy-pickle
game.anything(Decimal(1), dt.date.today(), uuid.uuid4(), re.compile("x"), Path("x"), b"x", bytearray(b"x"), memoryview(b"x"))  # O: coopy-pickle
game.anything(None, Ellipsis, NotImplemented, ValueError("x"), type, object())
items: Iterator[int] = iter([1])
game.anything(items)
game.anything(*[1, 2], *game.log)
game.anything(*(x for x in range(3)))
game.set(**{"a": 1})
with open("x", "w") as f, open("y", "rb") as g:
    game.anything(f)  # E: coopy-pickle
    game.anything(g)  # E: coopy-pickle
    game.anything(f.name, g.read(), f.fileno())


class Cli:
    def __init__(self, game: System[Game], out: TextIO) -> None:
        self.game = game
        self.out = out
        self.lock = threading.RLock()
        self.piece = game.get("x")

    def work(self, done: Callable[[int], None], maybe: str | TextIO, opt: TextIO | None) -> None:
        with self.lock:
            self.game.anything(self.out)  # O: coopy-pickle
            self.game.anything(maybe)
            self.game.anything(opt)  # O: coopy-pickle
            self.game.anything(done, self.work, self)
            self.game.put("x", self.piece)  # E: coopy-alias
            self.game.put("x", Piece(Kind.A))
            print(self.game.same(self.piece), file=self.out)

    async def awork(self) -> None:
        self.game.anything(await asyncio.sleep(0, 3))
        self.game.anything(self.awork())  # E: coopy-pickle
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, lambda: self.game.put("x", Piece(Kind.A)))
        task = asyncio.create_task(self.awork())
        task.add_done_callback(lambda t: self.game.each(["x"]))
