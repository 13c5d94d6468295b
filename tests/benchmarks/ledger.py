"""The domain of the snapshot benchmark: as many objects as it is told to have."""

from __future__ import annotations

from coopy import readonly

__all__ = ["Account", "Ledger"]


class Account:
    """Some 300 bytes: an object with a text of its own, a number and a list."""

    def __init__(self, number: int) -> None:
        self.owner, self.balance, self.moves = f"owner {number}", number, [number]


class Ledger:
    """Accounts by number."""

    def __init__(self) -> None:
        self.accounts: list[Account] = []

    def open_many(self, count: int) -> int:
        """So many new ones, in one action."""
        self.accounts += [Account(number) for number in range(len(self.accounts), len(self.accounts) + count)]
        return len(self.accounts)

    def deposit(self, number: int, amount: int) -> int:
        """Add to an account. Gives its new balance."""
        self.accounts[number].balance += amount
        return self.accounts[number].balance

    @readonly
    def balance(self, number: int) -> int:
        """What an account holds."""
        return self.accounts[number].balance
