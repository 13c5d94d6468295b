from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from coopy import Replica, System, init_system, readonly


@dataclass
class Player:
    name: str
    _salary: int = 0

    def _raise(self) -> None:
        self._salary += 1

    @property
    def salary(self) -> int:
        return self._salary


class Orchestra:
    _kinds: ClassVar[list[str]] = []
    __slots__ = ("_budget", "players")

    def __init__(self) -> None:
        self.players: list[Player] = []
        self._budget = 3

    @staticmethod
    def _check(name: str) -> bool:
        return bool(name)

    @property
    def _secret(self) -> int:
        return self._budget

    def hire(self, name: str) -> None:
        if self._check(name):
            self.players.append(Player(name))
            self.players[-1]._raise()
        self._spend(3)

    def _spend(self, amount: int) -> int:
        self._budget -= amount
        return self._budget

    @readonly
    def compare(self, other: Orchestra) -> bool:
        return other._budget < self._budget

    @readonly
    def rich(self) -> bool:
        return self._secret > 3 and self._budget > 2

    def __repr__(self) -> str:
        return f"<{self._budget}>"


orchestra = init_system(Orchestra(), "data")
orchestra._spend(3)  # E: coopy-private
print(orchestra._budget)  # E: coopy-private
print(orchestra._secret + 1)  # E: coopy-private
print(orchestra._check("x"))  # E: coopy-private
print(orchestra._kinds)  # E: coopy-private
spend = orchestra._spend  # O: coopy-private
callbacks = [orchestra._spend, orchestra.hire]  # O: coopy-private
orchestra._budget = 3  # E: coopy-private | coopy-set
orchestra._budget += 3  # E: coopy-private | coopy-set
print(orchestra.__repr__(), repr(orchestra), orchestra.__class__.__name__, orchestra.__slots__, orchestra.__module__)
print(orchestra.rich(), orchestra.players[0].name, orchestra.players[0].salary, Orchestra._kinds, Orchestra._check("x"))


class Agent:
    _orchestra: System[Orchestra]

    def __init__(self, _orchestra: System[Orchestra], mirror: Replica[Orchestra]) -> None:
        self._orchestra = _orchestra
        self._mirror = mirror
        self._spend = 3

    def _book(self) -> int:
        self._orchestra.hire("x")
        self._spend += 1
        print(self._mirror.rich())
        print(self._mirror._budget)  # E: coopy-private
        return self._orchestra._spend(self._spend)  # E: coopy-private

    def both(self, other: Agent, plain: Orchestra) -> int:
        plain._budget = 3
        plain._spend(2)
        _local = self._orchestra
        _local.hire("y")
        return other._spend + other._book() + _local._budget  # E: coopy-private


_orchestra = orchestra
_orchestra.hire("z")
_player = Player("own")
_player._salary = 3
_player._raise()
total = sum(one._budget for one in (orchestra, _orchestra))  # E: coopy-private
numbers = [orchestra.compare(orchestra) for _ in range(3)]
if (hidden := getattr(orchestra, "players", None)) is not None:
    print(hidden)
reveal_type(orchestra._spend(3))  # E: coopy-private  # R: int
