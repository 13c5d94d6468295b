from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Final, Generic, NamedTuple, Optional, TypeAlias, TypeVar

from coopy import System, init_system

T = TypeVar("T")


class Account:
    number: int = 0
    limit: float = 0.0
    owner: Optional[str] = None

    def __init__(self, number: int = 0) -> None:
        self.number = number
        self._pin = 0
        self.history: list[float] = []

    def pay(self, amount: float) -> None:
        self.history.append(amount)

    @property
    def pin(self) -> int:
        return self._pin

    @pin.setter
    def pin(self, value: int) -> None:
        self._pin = value

    @property
    def last(self) -> float:
        return self.history[-1]


Live: TypeAlias = System[Account]
Pair = tuple[System[Account], Account]
Table = dict[str, System[Account]]
ACCOUNT: Final = init_system(Account(1))
ACCOUNT.limit = 3  # E: coopy-set


class Box(Generic[T]):
    def __init__(self, value: T) -> None:
        self.value = value

    def get(self) -> T:
        return self.value


class Both(NamedTuple):
    live: System[Account]
    dead: Account


@dataclass
class Config:
    account: Live
    fallback: Account | None = None


def forms(live: Live, dead: Account, pair: Pair, table: Table, box: Box[System[Account]]) -> None:
    live.number = 1  # E: coopy-set
    live.number += 1  # E: coopy-set
    live.limit, dead.limit = 1.0, 2.0  # E: coopy-set
    [live.limit, dead.number] = 1.0, 2  # E: coopy-set
    live.number, *live.history = [1, 2]  # E: coopy-set  # O: assignment
    del live.owner  # E: coopy-set
    for live.number in range(3):  # E: coopy-set
        dead.number = live.number
    for dead.number in range(3):
        pass
    live.pin = 3
    live.pin += 1
    live.last = 3.0  # E: misc  # O: coopy-set
    pair[0].limit = 1  # O: coopy-set
    pair[1].limit = 1
    first, second = pair
    first.limit = 2  # O: coopy-set
    second.limit = 2
    table["x"].owner = "ann"  # E: coopy-set
    table["y"] = dead
    if found := table.get("x"):
        found.owner = None  # E: coopy-set
    box.get().limit = 3  # E: coopy-set
    box.value.limit = 3  # O: coopy-set
    box.value = live
    Box(dead).get().limit = 4
    both = Both(live, dead)
    both.live.limit = 5  # O: coopy-set
    both.dead.limit = 5
    config = Config(live, fallback=dead)
    config.account.limit = 6  # E: coopy-set
    config.fallback = Account()
    config.fallback.limit = 6


def callbacks(make: Callable[[], System[Account]], use: Callable[[Account], None], many: Iterable[Live]) -> None:
    make().limit = 3  # E: coopy-set
    use(make())
    for account in many:
        account.limit = 4  # E: coopy-set
    accounts = list(many)
    accounts[0].limit = 5  # E: coopy-set
    accounts.append(Account())
    ordered = sorted(many, key=lambda account: account.limit)
    ordered[0].limit = 6  # E: coopy-set
    limits = [account.limit for account in many]
    limits[0] = 3


async def later(wait: Awaitable[System[Account]]) -> None:
    (await wait).limit = 3  # E: coopy-set


def noted(account: Annotated[System[Account], "note"], other: Annotated[Account, "note"]) -> None:
    account.limit = 3  # E: coopy-set
    other.limit = 3


def wrong(account: System[Account]) -> None:
    account.number = "one"  # E: coopy-set, assignment
    account.limit += "x"  # E: coopy-set, operator
    account.nothing = 3  # E: attr-defined  # O: coopy-set
    account.pin = "x"  # E: assignment
    account.number = 3  # type: ignore[coopy-set]  # P: unused-ignore
