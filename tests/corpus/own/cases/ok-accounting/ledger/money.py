from __future__ import annotations

import operator
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from functools import total_ordering


@total_ordering
@dataclass(frozen=True, slots=True)
class Money:
    amount: Decimal
    currency: str = "EUR"

    def _check(self, other: Money) -> None:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} != {other.currency}")

    def __add__(self, other: Money) -> Money:
        self._check(other)
        return Money(self.amount + other.amount, self.currency)

    def __radd__(self, other):
        return self if other == 0 else NotImplemented

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        return self + -other

    def __mul__(self, n: int) -> Money:
        return Money((self.amount * n).quantize(Decimal("0.01"), ROUND_HALF_EVEN), self.currency)

    def __lt__(self, other: Money) -> bool:
        self._check(other)
        return self.amount < other.amount

    def __format__(self, spec: str) -> str:
        return f"{self.amount:{spec or '.2f'}} {self.currency}"

    def __str__(self) -> str:
        return format(self)

    def __bool__(self) -> bool:
        return bool(self.amount)

    @classmethod
    def parse(cls, text: str) -> Money:
        amount, _, currency = text.partition(" ")
        return cls(Decimal(amount), currency or "EUR")


ZERO = Money(Decimal(0))
key = operator.attrgetter("currency", "amount")
