from __future__ import annotations

import logging
from collections import ChainMap, Counter, OrderedDict, defaultdict
from datetime import date
from itertools import groupby, accumulate
from typing import TYPE_CHECKING

from coopy import abort_exception, readonly

from .entries import Entry, Posting, Side
from .money import ZERO, Money, key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

log = logging.getLogger("ledger")
KINDS = frozenset({"asset", "liability", "income", "expense"})
LABELS: dict[str, str] = {k: k.title() for k in sorted(KINDS)}


class Ledger:
    """Accounts and postings."""

    VERSION = (1, 2)

    def __init__(self, accounts: Mapping[str, str] | None = None) -> None:
        self.accounts: OrderedDict[str, str] = OrderedDict(accounts or {})
        self.postings: list[Posting] = []
        self.by_account: defaultdict[str, list[int]] = defaultdict(list)
        self._totals: Counter[str] = Counter()

    def open(self, name: str, kind: str) -> None:
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is none of {', '.join(sorted(KINDS))}")
        self.accounts.setdefault(name, kind)
        self.accounts.move_to_end(name)

    @abort_exception
    def post(self, day: date, lines: Iterable[tuple[str, str, str]]) -> int:
        posting = Posting(len(self.postings) + 1, day)
        for account, side, text in lines:
            if account not in self.accounts:
                raise KeyError(account)
            posting.entries.append(Entry(account, Side[side.upper()], Money.parse(text), tags=frozenset({side})))
        if not posting.balanced:
            log.warning("posting %s does not balance: %s", posting.number, posting)
            raise ValueError("unbalanced")
        for entry in posting:
            self.by_account[entry.account].append(posting.number)
            self._totals[entry.account] += int(entry.money.amount * entry.side)
        self.postings.append(posting)
        return posting.number

    @readonly
    def balance(self, account: str) -> str:
        moneys = (e.money * e.side for p in self.postings for e in p if e.account == account)
        return str(sum(moneys, ZERO))

    @readonly
    def statement(self) -> list[str]:
        ordered = sorted((e for p in self.postings for e in p), key=lambda e: (e.account, key(e.money)))
        out = []
        for account, group in groupby(ordered, key=lambda e: e.account):
            out.append(f"{LABELS[self.accounts[account]]} {account}: {max(e.money for e in group)}")
        return out

    def reverse(self, number: int) -> int:
        old = self.postings[number - 1]
        lines = [(e.account, e.side.other.name, str(e.money)) for e in old]
        return self.post(old.due(0), lines)

    def rename(self, old: str, new: str) -> None:
        self.accounts = OrderedDict((new if k == old else k, v) for k, v in self.accounts.items())
        for posting in self.postings:
            if old in posting:
                for e in posting:
                    if e.account == old:
                        e.account = new
        self.by_account[new] = self.by_account.pop(old, [])

    def running(self) -> list[int]:
        return list(accumulate(len(p) for p in self.postings))

    def __len__(self) -> int:
        return len(self.postings)

    def __getitem__(self, number: int) -> Posting:
        return self.postings[number - 1]
