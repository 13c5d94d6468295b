"""The domain of the benchmarks, the same for both versions of coopy: the smallest action that changes something.

Both versions spell the decorator alike. This file must run with either of them, so it knows nothing else of coopy.
"""

from __future__ import annotations

from coopy.decorators import readonly

__all__ = ["Bank"]


class Bank:
    """Amounts by account."""

    def __init__(self) -> None:
        self.accounts: dict[str, int] = {}
        self.moves = 0

    def deposit(self, account: str, amount: int) -> int:
        """Add to an account. Gives its new balance."""
        self.accounts[account] = self.accounts.get(account, 0) + amount
        self.moves += 1
        return self.accounts[account]

    @readonly
    def balance(self, account: str) -> int:
        """What an account holds."""
        return self.accounts.get(account, 0)
