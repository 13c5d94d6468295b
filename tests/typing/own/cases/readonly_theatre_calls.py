from __future__ import annotations

import abc
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from coopy import abort_exception, init_system, readonly, unlocked


@dataclass
class Seat:
    number: int
    sold: bool = False

    def sell(self) -> None:
        self.sold = True

    def label(self) -> str:
        return f"#{self.number}"


class Ledger:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, line: str) -> Self:
        self.lines.append(line)
        return self


class Hall(abc.ABC):
    def __init__(self, rows: int = 3) -> None:
        self.seats = [Seat(number) for number in range(rows)]
        self.other: Hall | None = None

    @abc.abstractmethod
    def price(self, seat: Seat) -> int: ...

    @readonly
    def free(self) -> list[Seat]:
        return [seat for seat in self.seats if not seat.sold]

    def reset(self) -> None:
        self.seats = []

    @readonly
    def describe(self) -> str:
        return "hall"


class Opera(Hall):
    prices = {"a": 3}

    @readonly
    def price(self, seat: Seat) -> int:
        return self.prices.get(seat.label(), 10)

    @abort_exception
    def sell(self, number: int) -> int:
        self.seats[number].sell()
        return self.price(self.seats[number])

    def _line(self, seat: Seat) -> str:
        return f"{seat.label()}: {self.price(seat)}"

    @property
    def full(self) -> bool:
        return not self.free()

    @staticmethod
    def currency(amount: int) -> str:
        return f"{amount} €"

    @classmethod
    def build(cls, rows: int) -> Opera:
        return cls(rows)

    def __len__(self) -> int:
        return len(self.seats)

    def __getitem__(self, number: int) -> Seat:
        return self.seats[number]

    def __delitem__(self, number: int) -> None:
        del self.seats[number]

    def __setitem__(self, number: int, seat: Seat) -> None:
        self.seats[number] = seat

    @readonly
    def describe(self) -> str:
        parts = [super().describe(), self.currency(3), str(len(self)), str(self.full)]
        parts.extend(self._line(seat) for seat in self.free())
        return ", ".join(parts)

    @readonly
    def offer(self, number: int) -> int:
        if self.full:
            self.reset()  # E: coopy-readonly
            super().reset()  # E: coopy-readonly
        price = self.sell(number)  # E: coopy-readonly
        self[number] = Seat(number)  # E: coopy-readonly
        prices = [self.sell(n) for n in range(3)]  # E: coopy-readonly
        return price + max(prices, key=lambda n: n + self.sell(n))  # E: coopy-readonly

    @unlocked
    @readonly
    def imagine(self, numbers: Iterable[int]) -> str:
        opera = Opera.build(3)
        for number in numbers:
            opera.sell(number)
            opera[number] = Seat(number)
        opera.reset()
        same = type(self)(len(self))
        same.reset()
        ledger = Ledger()
        ledger.add(opera.describe()).add("x")
        ledger.lines.append(self[0].label())
        print("imagined", sorted(numbers), self.prices)
        return "\n".join(ledger.lines)

    @readonly
    def neighbour(self, other: Opera) -> int:
        other.sell(3)
        return other.price(other[0])

    @readonly
    def cheapest(self) -> Seat:
        return min(self.free(), key=self.price)

    def season(self) -> None:
        self.reset()
        self.sell(3)
        self[0] = Seat(0)
        del self[0]

    @readonly
    def clear(self) -> None:
        del self[0]  # O: coopy-readonly
        self.season()  # E: coopy-readonly


opera = init_system(Opera.build(3), "data/opera")
opera.sell(1)
opera[0] = Seat(0)
print(opera.describe(), len(opera), opera.full)
